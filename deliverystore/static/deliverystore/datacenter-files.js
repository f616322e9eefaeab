/** Lists and forms of the data center: what is handier with JavaScript. */

/** Choose all boxes of a list at once, and tell how many are chosen. */
function countChosen(form) {
  const boxes = [...form.querySelectorAll(".deliverystore-tick")];
  const all = form.querySelector(".deliverystore-all");
  const counter = form.querySelector(".action-counter");
  if (!boxes.length || !all || !counter) return;
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    counter.textContent = counter.dataset.chosen
      .replace("%(count)s", chosen)
      .replace("%(all)s", boxes.length);
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    for (const box of boxes) box.closest("tr").classList.toggle("selected", box.checked);
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  for (const box of boxes) box.addEventListener("change", show);
  all.hidden = counter.hidden = false;
  show();
}

/** Make what is in a document, or in a part that came anew, handier. */
export function enhance(root) {
  for (const form of root.querySelectorAll("#changelist-form")) countChosen(form);
}

// What is chosen counts once it is sent; until then, nothing can be begun with another.
for (const form of document.querySelectorAll("form[data-shows-needs]")) {
  const select = form.querySelector("select");
  const help = form.querySelector(".help");
  select?.addEventListener("change", () => {
    help.textContent = select.selectedOptions[0]?.dataset.needs ?? "";
    const rest = document.getElementById("deliverystore-import");
    if (rest) rest.hidden = rest.elements.use.value !== select.value;
  });
}
enhance(document);
