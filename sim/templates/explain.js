"use strict";
// A packet's bytes open without this: by `:target`. It adds the keyboard, and leaves the page where it was.
(() => {
  let opener = null;
  const panel = () => document.querySelector(".packet:target");
  const close = () => {
    if (!panel()) return;
    // There is no such place, so the page does not move.
    location.replace("#closed");
    if (opener) opener.focus({ preventScroll: true });
  };
  const go = (link) => {
    if (link) location.replace(link.getAttribute("href"));
  };
  const opened = () => {
    const open = panel();
    if (open) open.focus({ preventScroll: true });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) {
      const open = panel();
      if (open && !open.contains(event.target)) close();
    } else if (link.classList.contains("close")) {
      event.preventDefault();
      close();
    } else if (link.closest(".walk")) {
      event.preventDefault();
      go(link);
    } else if (link.classList.contains("packet-link")) {
      opener = link;
    }
  });
  document.addEventListener("keydown", (event) => {
    const open = panel();
    if (!open || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") close();
    else if (event.key === "ArrowLeft") go(open.querySelector(".previous"));
    else if (event.key === "ArrowRight") go(open.querySelector(".next"));
    else return;
    event.preventDefault();
  });
  addEventListener("hashchange", opened);
  opened();
})();
