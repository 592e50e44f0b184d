"use strict";

// Follows one running audit by one stream of events, and shows its report when it is there.
const phases = {PREPARING: "Preparing", SAMPLING: "Drawing replicates", JUDGING: "Judging"};
const quantities = {keepProb: "keep probability", scaleFactor: "scale factor"};
const titles = ["Site or output", "Quantity", "Interval", "Decided"];
const mostTests = 50;

function counted(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

function digits(value) {
  return Number(value).toPrecision(4);
}

function row(test) {
  const line = document.createElement("tr");
  const known = test.interval.upper > test.interval.lower;
  const cells = [
    test.subject,
    quantities[test.quantity] || test.quantity,
    known ? `[${digits(test.interval.lower)}, ${digits(test.interval.upper)}]` : "not known yet",
    test.decided ? "yes" : "no",
  ];
  cells.forEach((words, place) => {
    const cell = document.createElement(place ? "td" : "th");
    if (place) cell.dataset.label = titles[place];
    else cell.scope = "row";
    cell.textContent = words;
    line.append(cell);
  });
  return line;
}

function rate(begun, progress) {
  const seconds = (performance.now() - begun.at) / 1000;
  const drawn = progress.replicates - begun.replicates;
  return seconds > 0.5 && drawn > 0 ? `, ${Math.round(drawn / seconds)} a second` : "";
}

function follow(section) {
  const stream = new EventSource(section.dataset.events);
  let begun = null;
  stream.addEventListener("state", event => {
    document.getElementById("state").textContent = JSON.parse(event.data).state;
  });
  stream.addEventListener("progress", event => {
    const progress = JSON.parse(event.data).progress;
    if (begun === null && progress.replicates) begun = {at: performance.now(), replicates: progress.replicates};
    const undecided = progress.totalTests - progress.decidedTests;
    const drawn = progress.replicates
      ? `: ${progress.replicates.toLocaleString("en")} of at most ${progress.maxReplicates.toLocaleString("en")}` +
        `${rate(begun, progress)}; ${counted(undecided, "test")} undecided`
      : "";
    document.getElementById("phase").textContent = (phases[progress.phase] || progress.phase) + drawn;
    const bar = document.getElementById("progress");
    bar.max = Math.max(1, progress.totalTests);
    bar.value = progress.decidedTests;
    document.getElementById("tests").replaceChildren(...progress.tests.slice(0, mostTests).map(row));
  });
  stream.addEventListener("audit", () => {
    stream.close();
    location.reload();
  });
}

const states = [
  ["fail", "FAIL"], ["inconclusive", "INCONCLUSIVE"], ["warn", "WARN"], ["pass", "PASS"], ["failed", "not made"],
  ["cancelled", "cancelled"], ["running", "running"], ["queued", "queued"], ["reused", "reports of earlier runs"],
];
const renewSeconds = 5;

// Follows a run of a suite by one stream of events: its counts as they come, its table now and then.
function followRun(section) {
  const stream = new EventSource(section.dataset.run);
  let renewed = performance.now();
  stream.addEventListener("counts", event => {
    const counts = JSON.parse(event.data);
    const known = states.filter(([name]) => counts[name]).map(([name, word]) => `${counts[name]} ${word}`);
    document.getElementById("counts").textContent = [counted(counts.total, "member"), ...known].join(", ");
    const bar = document.getElementById("progress");
    bar.max = Math.max(1, counts.total);
    bar.value = counts.succeeded + counts.failed + counts.cancelled;
    if (performance.now() - renewed > 1000 * renewSeconds) {
      renewed = performance.now();
      renewTable();
    }
  });
  stream.addEventListener("run", () => {
    stream.close();
    location.reload();
  });
}

async function renewTable() {
  const answer = await fetch(location.href);
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [now, then] = [document, page].map(each => each.querySelector("#members tbody"));
  if (now && then) {
    now.replaceChildren(...then.children);
    document.dispatchEvent(new Event("members-renewed"));
  }
}

document.querySelectorAll("[data-events]").forEach(follow);
document.querySelectorAll("[data-run]").forEach(followRun);
