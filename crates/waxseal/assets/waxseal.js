// Times in the viewer's zone. Without this script they are shown in UTC, which the text says.
"use strict";
const FORM = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.title = time.dateTime;
      time.textContent = moment.toLocaleString(undefined, FORM);
    }
  }
}
document.addEventListener("DOMContentLoaded", () => localTimes(document));
document.addEventListener("htmx:load", (event) => localTimes(event.target));
// A page that takes the place of another begins at its heading, for the keyboard and for screen readers.
document.addEventListener("htmx:afterSettle", (event) => {
  const heading = event.target.id === "main" && event.target.querySelector("h1");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
});
// Where a style sheet cannot open what is folded, paper still gets all of it.
window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details:not([open])")) {
    folded.open = true;
    folded.dataset.folded = "";
  }
});
window.addEventListener("afterprint", () => {
  for (const folded of document.querySelectorAll("details[data-folded]")) folded.open = false;
});
