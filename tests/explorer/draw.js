// Draw moments of a page with its own player: node draw.js FOLDER < JSON; writes a picture each.
// The JSON: {script, parts: {name: text}, view: {ax, bx, ay, by, width, height, radius}, moments,
// panel, scale, rounds: how often, for those who measure, browser: path of a Chromium, else node draws}
const {readFileSync, writeFileSync} = require('node:fs');

/** Runs in node or in a page; returns the pictures in letters, and milliseconds of each step. */
async function drawMoments({script, parts, view, moments, panel = 0, scale, rounds = 1}) {
  const {Compositor, colorsOf, decodeCells, hexColor, look} = new Function(
    `${script}; return {Compositor, colorsOf, decodeCells, hexColor, look};`)();
  const host = {querySelector: (selector) => ({textContent: parts[selector.slice(12, -2)]})};
  const whole = JSON.parse(parts.header), {width, height} = view, told = {}, found = [];
  const panels = (whole.panels ?? [whole]).map((own, k) => ({...whole, ...own, prefix: k ? `${k}-` : ''}));
  const header = panels[panel];
  const clock = () => { // processor time, where it can be told
    const used = globalThis.process?.cpuUsage?.();
    return used ? (used.user + used.system) / 1000 : performance.now();
  };
  let begin = clock();
  const since = (what) => {
    (told[what] ??= []).push(clock() - begin);
    begin = clock();
  };
  for (const one of panels.slice(0, panel + 1)) found.push(await decodeCells(host, one, found));
  const cells = found[panel], colors = colorsOf(header);
  colors.cells = cells;
  since('decode');
  if (scale) colors.scale = scale;
  const compositor = new Compositor(cells.x, cells.y), pictures = [];
  const background = hexColor(header.view.background);
  for (let round = 0; round < rounds; round++) {
    let before = null;
    for (const number of moments) {
      const moment = header.moments[number], layers = colors.layers(moment[0]);
      if (before === null || layers || before || header.stops || header.turn || header.sorted) {
        begin = clock();
        look({cells, colors, header, compositor, moment}, view);
        since('look');
        before = layers ?? false;
      }
      begin = clock();
      colors.fill(compositor.cells, moment, compositor.colors);
      since('fill');
      const picture = new Int32Array(width * height).fill(background | (255 << 24));
      begin = clock();
      compositor.paint(picture, background, colors.alpha);
      since('paint');
      if (round) continue;
      const bytes = new Uint8Array(picture.buffer);
      let letters = '';
      for (let k = 0; k < bytes.length; k += 4096) letters += String.fromCharCode(...bytes.subarray(k, k + 4096));
      pictures.push(btoa(letters));
    }
  }
  return {told, pictures};
}

async function main() {
  const task = JSON.parse(readFileSync(0, 'utf8'));
  let drawn;
  if (task.browser) {
    const {chromium} = require('playwright-core');
    const browser = await chromium.launch({executablePath: task.browser, args: ['--no-sandbox', '--disable-gpu']});
    try {
      drawn = await (await browser.newPage()).evaluate(drawMoments, task);
    } finally {
      await browser.close();
    }
  } else drawn = await drawMoments(task);
  task.moments.forEach((number, k) => writeFileSync(`${process.argv[2]}/${number}.rgba`, Buffer.from(drawn.pictures[k], 'base64')));
  process.stdout.write(JSON.stringify(drawn.told));
}
main();
