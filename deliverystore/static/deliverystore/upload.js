/**
 * Uploads that survive broken connections and closed pages: the tus protocol, as a
 * module without dependencies.
 *
 *     import { upload } from "/static/deliverystore/upload.js";
 *     const id = await upload(file, { endpoint: "/deliveries/7/uploads/", csrfToken });
 */

const RETRIES = 10;
const LONGEST_WAIT = 30_000;
const RETRIED = new Set([0, 408, 409, 423, 429]);

/** Why an upload ended: a text to show, and the HTTP status (0: no connection). */
export class UploadError extends Error {
  constructor(message, status) {
    super(message);
    this.name = "UploadError";
    this.status = status;
  }
}

/**
 * Upload a File and resolve with the id of the file in the delivery.
 *
 * After an error it goes on where the server has stopped, at once or, when the same
 * file is chosen again, on another day. Rejects with an UploadError when the server
 * refuses the file or cannot be reached for minutes, or with the signal's reason.
 *
 * @param {File} file
 * @param {string} options.endpoint where uploads into the delivery begin
 * @param {string} options.csrfToken
 * @param {(sent: number, total: number) => void} [options.onProgress] in bytes
 * @param {AbortSignal} [options.signal] pauses: upload() again goes on
 * @param {number} [options.chunkSize] the most bytes of one request
 * @returns {Promise<number>}
 */
export async function upload(file, options) {
  const { endpoint, csrfToken, onProgress, signal, chunkSize = 2 ** 24 } = options;
  const key = ["deliverystore", endpoint, file.name, file.size, file.lastModified].join();
  const tell = (sent) => onProgress?.(Math.min(sent, file.size), file.size);
  const send = (method, url, headers = {}, body = null, onSent = null) =>
    request(method, url, { "X-CSRFToken": csrfToken, ...headers }, body, onSent, signal);
  let url = recall(key);
  let offset = null; // null: ask the server
  let failures = 0;

  const step = () => {
    if (!url) {
      const name = `filename ${base64(file.name)}`;
      return send("POST", endpoint, { "Upload-Length": file.size, "Upload-Metadata": name });
    }
    if (offset === null) return send("HEAD", url);
    const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": offset };
    const chunk = file.slice(offset, offset + chunkSize);
    return send("PATCH", url, headers, chunk, (sent) => tell(offset + sent));
  };

  for (;;) {
    signal?.throwIfAborted();
    try {
      const answer = await step();
      const reached = Number(answer.getResponseHeader("Upload-Offset"));
      if (offset !== null && reached > offset) failures = 0;
      offset = reached;
      tell(offset);
      const created = answer.getResponseHeader("Location");
      if (created) remember(key, (url = new URL(created, answer.responseURL).href));
      const id = answer.getResponseHeader("Deliverystore-File");
      if (id === null) continue;
      remember(key, null);
      return Number(id);
    } catch (error) {
      offset = null;
      const gone = url !== null && (error.status === 404 || error.status === 410);
      const again = gone || RETRIED.has(error.status) || error.status >= 500;
      if (!again || ++failures > RETRIES) throw error;
      if (gone) remember(key, (url = null));
      await pause(Math.min(LONGEST_WAIT, 250 * 2 ** failures * (0.5 + Math.random())), signal);
    }
  }
}

/** XMLHttpRequest, since fetch cannot tell how much it has sent. */
function request(method, url, headers, body, onSent, signal) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    xhr.open(method, url);
    xhr.setRequestHeader("Tus-Resumable", "1.0.0");
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (onSent) xhr.upload.onprogress = (event) => onSent(event.loaded);
    xhr.onerror = () => reject(new UploadError("The connection broke.", 0));
    xhr.onabort = () => reject(signal.reason);
    xhr.onload = () => (xhr.status < 300 ? resolve(xhr) : reject(refusal(xhr)));
    xhr.onloadend = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort);
    xhr.send(body);
  });
}

function refusal(xhr) {
  const isText = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
  return new UploadError((isText && xhr.responseText) || `HTTP ${xhr.status}`, xhr.status);
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", resolve, { once: true });
  });
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// Some browsers deny the storage; then an upload lives as long as its page.
function recall(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

function remember(key, url) {
  try { url ? localStorage.setItem(key, url) : localStorage.removeItem(key); } catch { /* denied */ }
}
