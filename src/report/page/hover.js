"use strict";
// What a point of a figure stands for, shown while the mouse is over it or after a tap.

(() => {
  const REACH = 14; // CSS pixels
  const RING_RADIUS = 7; // CSS pixels
  const GAP = 12; // CSS pixels between point, tooltip and edge of the window
  const within = (value, low, high) => Math.max(low, Math.min(value, high));

  let tip = null;
  let ring = null;

  function hide() {
    tip?.remove();
    ring?.remove();
    tip = ring = null;
  }

  /** The point nearest to the pointer, with its place in the window; `null` where none is in reach. */
  function nearest(svg, points, { clientX, clientY }) {
    const matrix = svg.getScreenCTM();
    if (!matrix) return null;
    let best = null;
    let reach = REACH;
    for (const [x, y, text] of points) {
      const [left, top] = [matrix.a * x + matrix.e, matrix.d * y + matrix.f];
      const distance = Math.hypot(left - clientX, top - clientY);
      if (distance > reach) continue;
      reach = distance;
      best = { x, y, text, left, top, scale: matrix.a };
    }
    return best;
  }

  function drawRing(svg, { x, y, scale }) {
    ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    const attributes = { class: "hover-ring", cx: x, cy: y, r: RING_RADIUS / scale };
    Object.entries(attributes).forEach(([name, value]) => ring.setAttribute(name, value));
    svg.append(ring);
  }

  /** Above the point where there is room, below it elsewhere. */
  function drawTip({ text, left, top }) {
    tip = document.createElement("div");
    tip.className = "hover-tip";
    tip.textContent = text;
    document.body.append(tip);
    const { width, height } = tip.getBoundingClientRect();
    const room = document.documentElement.clientWidth - width - GAP;
    const above = top - height - GAP;
    tip.style.left = `${within(left - width / 2, GAP, Math.max(GAP, room))}px`;
    tip.style.top = `${above < GAP ? top + GAP : above}px`;
  }

  function show(svg, point) {
    if (ring && ring.cx.baseVal.value === point.x && ring.cy.baseVal.value === point.y) return;
    hide();
    drawRing(svg, point);
    drawTip(point);
  }

  function watch(svg, points) {
    const follow = (event) => {
      const point = nearest(svg, points, event);
      if (point) show(svg, point);
      else hide();
    };
    svg.addEventListener("pointermove", (event) => {
      // A finger that moves scrolls the page.
      if (event.pointerType !== "touch") follow(event);
    });
    svg.addEventListener("click", follow);
    svg.addEventListener("pointerleave", (event) => {
      // A finger leaves as soon as it has tapped; what it asked for stays.
      if (event.pointerType !== "touch") hide();
    });
  }

  for (const data of document.querySelectorAll("script.hover")) {
    const svg = document.querySelector(`#figure-${CSS.escape(data.dataset.figure)} .drawing svg`);
    if (svg) watch(svg, JSON.parse(data.textContent).points);
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("click", (event) => event.target.closest(".drawing svg") || hide());
  // In the capture phase, because a figure on a phone scrolls inside its own box.
  window.addEventListener("scroll", hide, { capture: true, passive: true });
  window.addEventListener("resize", hide);
})();
