// A link to a cell opens what is told of it; browsers that do so by themselves are not in the way.
function reveal() {
  const cell = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = cell && cell.closest("details.cell");
  if (details && !details.open) {
    details.open = true;
    cell.scrollIntoView({ block: "start" });
  }
}
addEventListener("hashchange", reveal);
reveal();
