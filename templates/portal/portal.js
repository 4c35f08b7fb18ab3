// The token of a link stands after the # of its address, which browsers send to nobody. It is put into the
// form and taken out of the address; nothing is sent before somebody presses the button.
const form = document.querySelector("form[data-link]");

if (form && location.hash.length > 1) {
  form.elements.token.value = location.hash.slice(1);
  form.querySelector(".field").hidden = true;
  history.replaceState(null, "", location.pathname);
}

for (const each of document.forms) {
  each.addEventListener("submit", () => {
    each.querySelector("button").disabled = true;
  });
}

addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button")) button.disabled = false;
});
