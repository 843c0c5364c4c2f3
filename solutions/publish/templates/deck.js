// Sort what does not fit 1280 × 720 onto further slides, then start reveal.js. A cell moves whole if it fits whole.
const HEIGHT = 720, SMALLEST = {table: 18, pre: 20};

function firstOver(slide) {
  const limit = slide.getBoundingClientRect().top + HEIGHT - parseFloat(getComputedStyle(slide).paddingBottom);
  return [...slide.children].findIndex((block) => block.getBoundingClientRect().bottom > limit + 1);
}

function shrink(element, whileTrue) {
  let size = parseFloat(getComputedStyle(element).fontSize);
  while (whileTrue() && size > SMALLEST[element.localName]) element.style.fontSize = `${--size}px`;
}

function head(slide, title) {
  if (!title || slide.querySelector("h1, h2, .picture")) return;
  const running = document.createElement("p");
  running.className = "running";
  running.append(...title.cloneNode(true).childNodes);
  slide.prepend(running);
}

// Where to break the slide: before the cell that does not fit. If that is the first one, in smaller type it may fit; if
// not, below its code. 0: nothing to break.
function breakpoint(slide) {
  const blocks = [...slide.children], first = blocks[0].className === "running" ? 1 : 0;
  const cellOf = (index) => blocks[index]?.dataset.cell;
  const firstCellIsOver = () => cellOf(firstOver(slide)) === cellOf(first);
  const code = blocks[first].querySelector("pre");
  if (code && firstCellIsOver()) {
    shrink(code, firstCellIsOver);
    if (firstCellIsOver()) code.style.fontSize = "";
    shrink(code, () => firstOver(slide) === first);
  }
  const over = firstOver(slide), cell = blocks.findIndex((block) => block.dataset.cell === cellOf(over));
  return cell > first ? cell : over > first ? over : 0;
}

function paginate() {
  document.body.classList.add("measuring");
  let title = null;
  for (let section of document.querySelectorAll(".slides > section > section")) {
    let slide = section.firstElementChild;
    title = slide.querySelector("h1, h2") ?? title;
    for (const table of slide.querySelectorAll("table"))
      shrink(table, () => table.scrollWidth > table.parentElement.clientWidth);
    head(slide, title);
    for (let at; (at = breakpoint(slide)); ) {
      const rest = section.cloneNode(false), moved = [...slide.children].slice(at);
      section.after(rest);
      section = rest;
      slide = rest.appendChild(slide.cloneNode(false));
      slide.append(...moved);
      head(slide, title);
    }
  }
  document.body.classList.remove("measuring");
}

Promise.all([MathJax.startup.promise, document.fonts.ready]).then(() => {
  paginate();
  Reveal.initialize({
    width: 1280, height: HEIGHT, margin: 0, center: false, hash: true, slideNumber: "c/t", transition: "none",
    plugins: [RevealNotes],
  });
});
