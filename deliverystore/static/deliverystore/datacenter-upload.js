/**
 * Uploads to the data center: files are dropped or chosen, sent one after the other,
 * and the list below shows each as soon as it is there.
 */

import { enhance } from "./datacenter-files.js";

const form = document.getElementById("deliverystore-upload");
const input = form.querySelector("input[type=file]");
const choices = form.querySelectorAll("[name=rename], [name=replace]");
const sent = form.querySelector(".deliverystore-sent");
const zone = form.querySelector(".deliverystore-drop");
const texts = form.dataset;
let last = Promise.resolve();
let unsent = 0;

// Who leaves while files are being sent is asked: those would not arrive.
addEventListener("beforeunload", (event) => {
  if (unsent) event.preventDefault();
});

form.querySelector(".deliverystore-hint").hidden = false;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const files = [...input.files];
  // So that the same file can be chosen again once it is corrected.
  input.value = "";
  take(files, chosen());
});

// What is dropped beside the zone is not to be opened by the browser.
const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    zone.classList.add("deliverystore-dropping");
  });
}
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) zone.classList.remove("deliverystore-dropping");
});
addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  zone.classList.remove("deliverystore-dropping");
  take([...event.dataTransfer.files], chosen());
});

/** What is to be done about taken names, as the form would say it. */
function chosen() {
  return [...choices].filter((box) => box.checked).map((box) => box.name);
}

/** Send files one after the other: the server checks each as a whole. */
function take(files, onTaken) {
  for (const file of files) {
    const item = sent.appendChild(document.createElement("li"));
    queue(file, onTaken, item);
  }
}

function queue(file, onTaken, item) {
  unsent += 1;
  last = last.then(() => send(file, onTaken, item)).finally(() => (unsent -= 1)).then(refresh);
}

async function send(file, onTaken, item) {
  const label = document.createElement("span");
  const progress = document.createElement("progress");
  label.textContent = filled(texts.sending, { name: file.name });
  progress.setAttribute("aria-label", label.textContent);
  progress.max = file.size || 1;
  progress.value = 0;
  item.className = "";
  item.replaceChildren(label, progress);
  const data = new FormData();
  data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  data.append("files", file, file.name);
  for (const name of onTaken) data.append(name, "1");
  try {
    const { results } = await post(data, (done) => {
      progress.value = Math.min(done, progress.max);
      if (done >= progress.max) {
        label.textContent = filled(texts.checking, { name: file.name });
        progress.removeAttribute("value");
      }
    });
    tell(item, results[0], file);
  } catch (error) {
    const text = error.isLoggedOut ? texts.loggedOut : error.status ? texts.refused : texts.broken;
    item.className = "error";
    item.textContent = filled(text, { name: file.name, status: error.status });
    if (error.isLoggedOut) offerLogin(item);
  }
}

/** Show what the server says of a file; the HTML is made of escaped parts there. */
function tell(item, result, file) {
  item.className = result.level;
  const page = new DOMParser().parseFromString(result.html, "text/html");
  item.replaceChildren(...page.body.childNodes);
  if (result.taken) offer("rename", item, file);
  if (result.replaces) offer("replace", item, file);
}

/** Let somebody send a file again, and say what its name is to become. */
function offer(choice, item, file) {
  const button = item.appendChild(document.createElement("button"));
  button.type = "button";
  button.className = "button";
  button.textContent = texts[choice];
  button.addEventListener("click", () => {
    queue(file, [choice], item);
  });
}

/** This page leads to the login, and from there back. */
function offerLogin(item) {
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = texts.login;
  item.append(" ", link);
}

/** XMLHttpRequest, since fetch cannot tell how much it has sent. */
function post(data, onSent) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open("POST", form.action);
    xhr.responseType = "json";
    xhr.setRequestHeader("Accept", "application/json");
    xhr.upload.onprogress = (event) => onSent(event.loaded);
    xhr.onerror = () => reject(new UploadFailed(0));
    xhr.onload = () => {
      const results = [200, 400].includes(xhr.status) && xhr.response?.results;
      if (results && results.length) resolve(xhr.response);
      // Strangers are led to the login, and the answer is that page.
      else reject(new UploadFailed(xhr.status, xhr.responseURL !== form.action));
    };
    xhr.send(data);
  });
}

class UploadFailed extends Error {
  constructor(status, isLoggedOut = false) {
    super(`HTTP ${status}`);
    this.status = status;
    this.isLoggedOut = isLoggedOut;
  }
}

/** Bring the list up to date, and leave what is being done on this page alone. */
async function refresh() {
  const list = document.getElementById("deliverystore-list");
  if (list.contains(document.activeElement) || list.querySelector(".deliverystore-tick:checked")) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("deliverystore-list");
    if (!fresh) return;
    list.replaceWith(fresh);
    enhance(fresh);
  } catch {
    // The files are there nevertheless; the list shows them when it is loaded again.
  }
}

function filled(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => values[name] ?? "");
}
