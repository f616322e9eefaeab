// Handing in by drag and drop, with progress. Without it the form works as it stands:
// it posts to the same address, and the page that comes back replaces the main part.
"use strict";

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ["KB", "MB", "GB"];
  let unit = -1;
  do {
    bytes /= 1024;
    unit += 1;
  } while (bytes >= 1023.95 && unit < units.length - 1);
  return `${bytes.toFixed(1)} ${units[unit]}`;
}

function prepare(form) {
  const input = form.querySelector("input[type=file]");
  form.classList.add("live");
  input.addEventListener("change", () => handIn(form, [...input.files]));
  form.addEventListener("dragenter", () => form.classList.add("over"));
  form.addEventListener("dragover", () => form.classList.add("over"));
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.classList.remove("over");
  });
  form.addEventListener("drop", (event) => {
    form.classList.remove("over");
    if (form.classList.contains("busy")) return;
    const folder = [...event.dataTransfer.items].some(
      (item) => item.webkitGetAsEntry?.()?.isDirectory,
    );
    if (folder) refuse(form, "A folder cannot be handed in; make a ZIP of it first.");
    else handIn(form, [...event.dataTransfer.files]);
  });
}

function handIn(form, files) {
  if (!files.length) return;
  const problem = problemOf(files, form.dataset);
  if (problem) refuse(form, problem);
  else upload(form, files);
}

// What the server would refuse anyway, said before the upload.
function problemOf(files, { maxFileBytes, maxFiles }) {
  if (maxFiles && files.length > Number(maxFiles)) {
    return `A delivery can have at most ${maxFiles} files.`;
  }
  const large = files.find((file) => maxFileBytes && file.size > Number(maxFileBytes));
  if (!large) return "";
  return `${large.name} is refused: a file can have at most ${size(Number(maxFileBytes))}.`;
}

function refuse(form, text) {
  const old = document.querySelectorAll("main [role=alert], main .note.success");
  old.forEach((note) => note.remove());
  const strong = document.createElement("strong");
  strong.textContent = "Nothing was added. ";
  const note = document.createElement("div");
  note.className = "note error";
  note.role = "alert";
  note.append(strong, text);
  form.before(note);
  form.querySelector("input[type=file]").value = "";
}

function upload(form, files) {
  const data = new FormData(form);
  data.delete("files");
  files.forEach((file) => data.append("files", file));
  const request = new XMLHttpRequest();
  const stop = showProgress(form, request, files);
  request.addEventListener("load", () => show(form, request));
  request.addEventListener("error", () => {
    refuse(form, "The connection broke off. Try again.");
  });
  request.addEventListener("abort", () => refuse(form, "You cancelled the upload."));
  request.addEventListener("loadend", stop);
  request.open("POST", form.action);
  request.send(data);
}

function showProgress(form, request, files) {
  const what = files.length === 1 ? files[0].name : `${files.length} files`;
  const panel = form.querySelector(".progress");
  const text = panel.querySelector("[data-progress-text]");
  const amount = panel.querySelector("[data-progress-amount]");
  const bar = panel.querySelector("progress");
  const cancel = panel.querySelector("[data-cancel]");
  const abort = () => request.abort();
  text.textContent = `Adding ${what} …`;
  amount.textContent = "";
  bar.value = 0;
  panel.hidden = cancel.hidden = false;
  form.classList.add("busy");
  cancel.addEventListener("click", abort);
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = loaded / total;
    amount.textContent = `${size(loaded)} of ${size(total)}`;
  });
  request.upload.addEventListener("load", () => {
    text.textContent = `Storing ${what} …`;
    amount.textContent = "";
    bar.removeAttribute("value");
    cancel.hidden = true;
  });
  return () => {
    form.classList.remove("busy");
    cancel.removeEventListener("click", abort);
    panel.hidden = true;
  };
}

// The answer is a whole page, as without JavaScript.
function show(form, request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const main = page.getElementById("main");
  if (!main) {
    refuse(form, `The server answered ${request.status} ${request.statusText}.`);
    return;
  }
  document.title = page.title;
  history.replaceState(null, "", request.responseURL);
  document.getElementById("main").replaceWith(main);
  start();
  (main.querySelector("[role=alert]") ?? main).focus();
}

function start() {
  document.querySelectorAll("form[data-hand-in]").forEach(prepare);
}

// A file that misses the form must not replace the page.
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => event.preventDefault());
start();
