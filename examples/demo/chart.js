// The latest round trips, as a curve from zero up and as three figures.

const SAMPLES = 40;
const LEAST_ACROSS = 12; // the first few do not fill the width

export class RoundTrips {
  #samples = [];
  #element = (id) => document.getElementById(id);

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#element("chart"));
  }

  add(milliseconds) {
    this.#samples.push(milliseconds);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    const sorted = [...this.#samples].sort((a, b) => a - b);
    this.#write("latest", milliseconds);
    this.#write("fastest", sorted[0]);
    this.#write("median", sorted[Math.floor(sorted.length / 2)]);
    this.#write("slowest", sorted[sorted.length - 1]);
    this.#draw();
  }

  #write(id, milliseconds) {
    const digits = milliseconds < 10 ? 1 : 0;
    this.#element(id).textContent = milliseconds.toFixed(digits);
  }

  #draw() {
    const chart = this.#element("chart");
    const { clientWidth: width, clientHeight: height } = chart;
    const samples = this.#samples;
    if (samples.length === 0 || width === 0) return;

    const top = Math.max(...samples) * 1.15;
    const inset = 5;
    const step = (width - 2 * inset) / (Math.max(samples.length, LEAST_ACROSS) - 1);
    const points = samples.map((sample, index) => [
      width - inset - (samples.length - 1 - index) * step,
      height - 2 - (sample / top) * (height - 2 - inset),
    ]);
    const line = points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
    const [firstX] = points[0];
    const [lastX, lastY] = points[points.length - 1];

    chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
    chart.querySelector(".line").setAttribute("d", `M${line}`);
    chart.querySelector(".area").setAttribute("d", `M${line}L${lastX} ${height}L${firstX} ${height}Z`);
    const end = chart.querySelector(".end");
    end.setAttribute("cx", lastX);
    end.setAttribute("cy", lastY);
    end.setAttribute("r", 3.5);
  }
}
