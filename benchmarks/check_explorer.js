// What check_explorer.py opens in Chromium, and what has to hold there.
const {readFileSync} = require('node:fs');
const {chromium} = require('playwright-core');
const [, , folder, ...wanted] = process.argv;

const STATE = `(number = 0) => {
  const host = document.querySelectorAll('.scanpy-anim-explorer')[number], root = host.shadowRoot;
  if (!root) return {message: ''};
  const one = (selector) => root.querySelector(selector), player = one('.player');
  if (!player) return {message: root.querySelector('.message')?.textContent ?? ''};
  const canvas = one('.picture'), context = canvas.getContext('2d'), seen = {};
  const data = canvas.width ? context.getImageData(0, 0, canvas.width, canvas.height).data : [];
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum = (sum * 31 + data[i]) | 0;
  return {shown: !player.hidden, frame: Number(one('input')?.value), text: one('input')?.getAttribute('aria-valuetext'),
    title: one('.title').textContent, play: one('.Play')?.getAttribute('aria-label'), sum, tip: one('.tip').hidden ? '' : one('.tip').innerText,
    says: one('.says').textContent, message: one('.message')?.textContent ?? '', found: one('.found').hidden ? '' : one('.found').innerText,
    pressed: [...root.querySelectorAll('.legend button[aria-pressed]')].map((b) => b.getAttribute('aria-pressed')),
    box: (({x, y, width, height}) => [x, y, width, height])(one('.stage').getBoundingClientRect())};
}`;
const open = async (browser, name, options = {}) => {
  const context = await browser.newContext({viewport: {width: 1200, height: 800}, acceptDownloads: true, ...options});
  const page = await context.newPage();
  page.complaints = [];
  page.requests = [];
  page.on('console', (message) => { // but what this check's own reading of canvases is told
    if (!message.text().includes('willReadFrequently')) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(error.stack));
  page.on('request', (request) => page.requests.push(request.url()));
  await page.goto(`file://${folder}/${name}.html`);
  return page;
};
const state = (page, number = 0) => page.evaluate(`(${STATE})(${number})`);
const said = (what, holds, detail = '') => {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what} ${detail}`.trimEnd());
  if (!holds) process.exitCode = 1;
};
const until = async (page, holds, what, number = 0) => {
  for (let k = 0; k < 100; k++) {
    const now = await state(page, number);
    if (holds(now)) return now;
    await page.waitForTimeout(100);
  }
  said(`waited in vain: ${what}`, false);
  return state(page, number);
};
const quiet = async (page, name) => {
  const outside = page.requests.filter((url) => !/^(file|data|blob|about):/.test(url));
  said(`${name}: no request`, outside.length === 0, outside.join());
  said(`${name}: nothing on the console`, page.complaints.length === 0, page.complaints.join('\n'));
  said(`${name}: texts stay texts`, (await page.evaluate('window.hacked')) === undefined);
  await page.context().close();
};

async function checkScores(browser) {
  const page = await open(browser, 'scores');
  let now = await until(page, (s) => s.shown && s.box[2], 'the first picture');
  const last = now.frame, whole = now.sum;
  said('does not play by itself', now.play === 'Play' && last > 3, now.text);
  await page.keyboard.press('Home');
  now = await until(page, (s) => s.frame === 0 && s.sum !== whole, 'Home');
  await page.keyboard.press('ArrowRight');
  now = await until(page, (s) => s.frame > 0, 'arrow');
  said('arrow', now.frame > 0, now.text);
  await page.keyboard.press('Home');
  await page.keyboard.press(' ');
  now = await until(page, (s) => s.frame >= 2, 'plays');
  said('the live region is silent while it plays', now.says === '' && now.play === 'Pause');
  await page.keyboard.press(' ');
  await page.keyboard.press('End');
  now = await until(page, (s) => s.frame === last && s.sum === whole, 'the last frame again');
  said('the last frame again', now.sum === whole);
  const [x, y, width, height] = now.box, hits = [];
  for (let k = 0; k < 40 && !hits.length; k++) {
    await page.mouse.move(x + width * (0.1 + 0.02 * k), y + height * (0.15 + 0.5 * (k % 2)));
    await page.waitForTimeout(60);
    now = await state(page);
    if (now.tip) hits.push(now.tip);
  }
  said('hover tells name, value, columns', /rank \d+ %/.test(hits[0] ?? '') && /n_genes/.test(hits[0]), JSON.stringify(hits[0]));
  await page.screenshot({path: `${folder}/scores.png`});
  await page.keyboard.press('+');
  await until(page, (s) => s.sum !== whole, 'zoom');
  await page.keyboard.press('0');
  await until(page, (s) => s.sum === whole, 'home');
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -300);
  await page.keyboard.up('Control');
  await until(page, (s) => s.sum !== whole, 'ctrl wheel');
  await page.mouse.down();
  await page.mouse.move(x + 200, y + 100, {steps: 4});
  await page.mouse.up();
  await page.waitForTimeout(300);
  await page.mouse.dblclick(x + width / 2, y + 8);
  await until(page, (s) => s.sum === whole, 'double click goes home');
  said('zoom, drag, home', true);
  const scale = page.locator('.scale select');
  await scale.selectOption('linear');
  now = await until(page, (s) => s.sum !== whole, 'linear');
  await scale.selectOption('rank');
  await until(page, (s) => s.sum === whole, 'rank');
  said('scales', true);
  await page.locator('.lasso').click();
  await page.mouse.move(x + 10, y + 10);
  await page.mouse.down();
  for (const [u, v] of [[0.97, 0.02], [0.97, 0.97], [0.02, 0.97]]) await page.mouse.move(x + width * u, y + height * v, {steps: 3});
  await page.mouse.up();
  now = await until(page, (s) => s.found, 'lasso');
  said('lasso', /cells/.test(now.found), JSON.stringify(now.found));
  let download = page.waitForEvent('download');
  await page.locator('.found button', {hasText: 'Download'}).click();
  const names = readFileSync(await (await download).path(), 'utf8').trim().split('\n');
  said('names are downloaded', names.length > 100 && /^[ACGT]+/.test(names[0]), `${names.length} ${names[0]}`);
  download = page.waitForEvent('download');
  await page.keyboard.press('p');
  const png = readFileSync(await (await download).path());
  said('PNG', png.subarray(1, 4).toString() === 'PNG', `${png.length} bytes`);
  if (await page.locator('.film').count()) {
    download = page.waitForEvent('download', {timeout: 60000});
    await page.locator('.film').click();
    const video = readFileSync(await (await download).path());
    said('video', video.length > 5000, `${video.length} bytes`);
  }
  await quiet(page, 'scores');
}

async function checkLabels(browser) {
  const page = await open(browser, 'labels');
  const first = await until(page, (s) => s.shown && s.box[2], 'the first picture');
  const button = page.locator('.legend button').first();
  await button.click();
  let now = await until(page, (s) => s.pressed[0] === 'false' && s.sum !== first.sum, 'toggled');
  await page.screenshot({path: `${folder}/toggled.png`});
  await button.click();
  await page.mouse.move(2, 2);
  now = await until(page, (s) => s.sum === first.sum, 'toggled back');
  await page.keyboard.down('Shift');
  await button.click();
  await page.keyboard.up('Shift');
  now = await until(page, (s) => s.pressed.filter((p) => p === 'true').length === 1, 'alone');
  said('toggle, and one alone', now.pressed[0] === 'true');
  await page.locator('.legend .all').click();
  await page.locator('.stage').focus();
  await page.keyboard.press('a');
  now = await until(page, (s) => s.found, 'all in view');
  said('all cells in view', /700/.test(now.found), JSON.stringify(now.found));
  await page.screenshot({path: `${folder}/labels.png`});
  await quiet(page, 'labels');
}

const SUMS = `[...document.querySelector('.scanpy-anim-explorer').shadowRoot.querySelectorAll('.picture')].map((canvas) => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, byte) => (sum * 31 + byte) | 0, 0);
})`;

async function checkMoving(browser) {
  const page = await open(browser, 'morph');
  const end = await until(page, (s) => s.shown && s.box[2], 'the first picture');
  await page.keyboard.press('Home');
  const start = await until(page, (s) => s.frame === 0 && s.sum !== end.sum, 'the start');
  for (let k = 0; k < 9; k++) await page.keyboard.press('.');
  const way = await until(page, (s) => s.frame === 9 && s.sum !== start.sum, 'on the way');
  const [x, y, width, height] = way.box;
  let tip = '';
  for (let k = 0; k < 40 && !tip; k++) {
    await page.mouse.move(x + width * (0.1 + 0.02 * k), y + height * (0.15 + 0.5 * (k % 2)));
    await page.waitForTimeout(60);
    tip = (await state(page)).tip;
  }
  said('a cell on its way is told', /n_genes/.test(tip), JSON.stringify(tip));
  await page.keyboard.press(' ');
  await until(page, (s) => s.frame > 12, 'plays');
  await page.keyboard.press(' ');
  await page.keyboard.press('End');
  const back = await until(page, (s) => s.sum === end.sum, 'the end again');
  said('moving cells come where they were', back.sum === end.sum);
  await page.keyboard.press('Home');
  for (let k = 0; k < 9; k++) await page.keyboard.press('.');
  await page.keyboard.press('a');
  const all = await until(page, (s) => s.found, 'all in view');
  said('all cells on their way', /^700 cells/.test(all.found), JSON.stringify(all.found));
  await page.screenshot({path: `${folder}/morph.png`});
  await quiet(page, 'morph');
}

async function checkOthers(browser) {
  for (const name of ['turn', 'sorted']) {
    const page = await open(browser, name);
    const end = await until(page, (s) => s.shown && s.box[2], 'the first picture');
    await page.keyboard.press('Home');
    await until(page, (s) => s.frame === 0 && s.sum !== end.sum, 'the start');
    await page.keyboard.press(' ');
    await until(page, (s) => s.frame > 4, 'plays');
    await page.keyboard.press(' ');
    await page.keyboard.press('End');
    const back = await until(page, (s) => s.sum === end.sum, 'the end again');
    said(`${name}: the end again`, back.sum === end.sum);
    await page.keyboard.press('a');
    const all = await until(page, (s) => s.found, 'all in view');
    said(`${name}: all cells`, /^700 cells/.test(all.found), JSON.stringify(all.found));
    await page.keyboard.press('l');
    const [x, y, width, height] = (await state(page)).box; // there is less room now
    await page.mouse.move(x + 5, y + 5);
    await page.mouse.down();
    for (const [u, v] of [[0.6, 0.02], [0.6, 0.97], [0.02, 0.97]]) await page.mouse.move(x + width * u, y + height * v, {steps: 3});
    await page.mouse.up();
    const some = await until(page, (s) => s.found && s.found !== all.found, 'lasso');
    said(`${name}: lasso`, /^\d+ cells/.test(some.found) && some.found !== all.found, JSON.stringify(some.found.slice(0, 12)));
    await page.keyboard.press('Escape');
    await page.screenshot({path: `${folder}/${name}.png`});
    await quiet(page, name);
  }
  const calm = await open(browser, 'morph', {reducedMotion: 'reduce'});
  const end = await until(calm, (s) => s.shown && s.box[2], 'the first picture');
  await calm.keyboard.press('Home');
  await until(calm, (s) => s.frame === 0 && s.sum !== end.sum, 'the start');
  await calm.keyboard.press(' ');
  const sums = new Set();
  for (let k = 0; k < 60; k++) {
    const now = await state(calm);
    sums.add(now.sum);
    if (now.play === 'Play') break;
    await calm.waitForTimeout(60);
  }
  said('reduced motion: no blended frame is shown', sums.size <= 12, `${sums.size} pictures`);
  await quiet(calm, 'reduced motion');
}

async function checkApart(browser, width) {
  const page = await open(browser, 'panels', {viewport: {width, height: 700}});
  await until(page, (s) => s.shown && s.box[2], 'the first picture');
  const apart = await page.evaluate(`(() => {
    const boxes = [...document.querySelector('.scanpy-anim-explorer').shadowRoot.querySelectorAll('.stage, aside')].map((one) => one.getBoundingClientRect());
    return boxes.every((a, k) => boxes.every((b, j) => j <= k || a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top));
  })()`);
  said(`${width} pixels: no panel lies on another`, apart);
  await page.context().close();
}

async function checkPanels(browser) {
  for (const width of [870, 1500]) await checkApart(browser, width);
  const page = await open(browser, 'panels');
  await until(page, (s) => s.shown && s.box[2], 'the first picture');
  const before = await page.evaluate(SUMS);
  said('three panels', before.length === 3 && new Set(before).size === 3);
  const stages = page.locator('.stage');
  await stages.nth(0).focus();
  await page.keyboard.press('ArrowUp');
  await page.waitForTimeout(600);
  let now = await page.evaluate(SUMS);
  said('those of the same places follow', now[0] !== before[0] && now[1] === before[1] && now[2] !== before[2]);
  await page.keyboard.press('0');
  await page.waitForTimeout(600);
  now = await page.evaluate(SUMS);
  said('all come home', now.every((sum, k) => sum === before[k]));
  await page.keyboard.press('Home');
  await page.waitForTimeout(600);
  now = await page.evaluate(SUMS);
  said('one clock', now[0] !== before[0] && now[1] !== before[1] && now[2] === before[2]);
  const tips = [];
  for (let p = 0; p < 3; p++) {
    const {x, y, width, height} = await stages.nth(p).boundingBox();
    let tip = '';
    for (let k = 0; k < 60 && !tip; k++) {
      await page.mouse.move(x + width * (0.05 + 0.015 * k), y + height * (0.15 + 0.35 * (k % 3)));
      await page.waitForTimeout(60);
      const shown = page.locator('.tip').nth(p);
      if (await shown.isVisible()) tip = await shown.innerText();
    }
    tips.push(tip);
  }
  said('each panel tells names and columns', tips.every((tip) => /^[ACGT]{8}.*\n[^]*n_genes: \d+/.test(tip)), JSON.stringify(tips));
  await page.screenshot({path: `${folder}/panels.png`});
  const download = page.waitForEvent('download');
  await page.keyboard.press('p');
  const png = readFileSync(await (await download).path());
  const sides = await page.evaluate(`[...document.querySelector('.scanpy-anim-explorer').shadowRoot.querySelectorAll('.picture')].map((c) => c.width)`);
  said('PNG of all panels', png.readUInt32BE(16) >= sides[0] * 2 - 1, `${png.readUInt32BE(16)} × ${png.readUInt32BE(20)}`);
  await page.locator('.speed').selectOption('4');
  const video = page.waitForEvent('download', {timeout: 60000});
  await page.locator('.film').click();
  const film = readFileSync(await (await video).path());
  said('video of all panels', film.length > 20000 && (await page.locator('.film').getAttribute('aria-pressed')) === 'false', `${film.length} bytes`);
  await stages.nth(1).focus();
  const looks = await page.evaluate(SUMS);
  await page.keyboard.press('Shift+ArrowLeft');
  await page.waitForTimeout(600);
  now = await page.evaluate(SUMS);
  said('keys move the panel that has the focus', now[0] === looks[0] && now[1] !== looks[1] && now[2] === looks[2]);
  await page.keyboard.press('0');
  await quiet(page, 'panels');
}

async function checkPlaces(browser) {
  const others = ['panels', 'labels', 'morph', 'turn', 'sorted'], framed = others.map((kind) => `${kind}-framed`);
  for (const name of ['policy', 'srcdoc', 'sandbox', 'notebook', ...framed]) {
    const page = await open(browser, name);
    const frame = name === 'policy' ? page : page.frameLocator('iframe');
    await frame.locator('.picture').first().waitFor({state: 'visible', timeout: 15000}).catch(() => said(`${name}: shown`, false));
    await page.screenshot({path: `${folder}/${name}.png`});
    said(`${name}: shown`, await frame.locator('.picture').first().isVisible());
    await quiet(page, name);
  }
  for (const name of ['truncated', 'damaged', ...others.map((kind) => `${kind}-cut`)]) {
    const page = await open(browser, name);
    const now = await until(page, (s) => s.message, name);
    said(name, /truncated or damaged/.test(now.message) && (await page.locator('.poster').isVisible()), now.message);
    await quiet(page, name);
  }
  const old = await browser.newContext();
  await old.addInitScript('delete globalThis.DecompressionStream');
  const page = await old.newPage();
  for (const kind of ['scores', ...others]) {
    await page.goto(`file://${folder}/${kind}.html`);
    said(`${kind}: no DecompressionStream`, /too old/.test((await state(page)).message) && (await page.locator('.poster').isVisible()));
  }
  await old.close();
  const plain = await open(browser, 'scores', {javaScriptEnabled: false});
  said('no scripts: the poster', await plain.locator('.poster').isVisible());
  await plain.context().close();
}

async function checkMany(browser) {
  const page = await open(browser, 'many');
  await until(page, (s) => s.shown, 'the first of many');
  const shown = () => page.evaluate(`[...document.querySelectorAll('.scanpy-anim-explorer')].filter((h) => !h.shadowRoot.querySelector('.player').hidden).length`);
  const few = await shown();
  said('200 players: those near are decoded', few > 0 && few < 20, few);
  const seen = [];
  for (let k = 0; k < 40; k++) {
    await page.evaluate(`document.querySelectorAll('.scanpy-anim-explorer')[${k}].scrollIntoView()`);
    seen.push(await until(page, (s) => s.shown, `player ${k}`, k));
  }
  said('players of all kinds', seen.every((s) => s.shown && !s.message));
  said('40 players, one after the other', true);
  await page.evaluate(`document.querySelectorAll('.scanpy-anim-explorer')[150].scrollIntoView()`);
  await until(page, (s) => s.shown, 'the 150th', 150);
  said('one that is scrolled to', true);
  await quiet(page, 'many');
}

async function checkStrange(browser) {
  const kinds = ['one', 'nowhere', 'gone', 'missing', 'many-classes'], ways = ['moving', 'turning', 'several'];
  const both = ways.flatMap((way) => kinds.map((kind) => `${way}-${kind}`));
  for (const name of [...kinds, 'missing', 'many-classes', 'twice', 'still', 'sorted-missing', 'sorted-one', ...both]) {
    const page = await open(browser, name);
    const now = await until(page, (s) => s.shown && s.box[2], name);
    said(`${name}: shown`, now.shown && !now.message, now.title);
    await page.mouse.move(now.box[0] + now.box[2] / 2, now.box[1] + now.box[3] / 2);
    await page.keyboard.press(' ');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('a');
    await page.waitForTimeout(200);
    const after = await until(page, (s) => s.found, `${name}: all in view`);
    said(`${name}: all in view`, /^[\d,]+ cells?/.test(after.found), JSON.stringify(after.found));
    await page.screenshot({path: `${folder}/${name}.png`});
    await quiet(page, name);
  }
  const page = await open(browser, 'hidden');
  await page.waitForTimeout(500);
  said('of no size: it waits', (await state(page)).message === '');
  await page.evaluate(`document.body.style.display = 'block'`);
  await until(page, (s) => s.shown && s.box[2] > 100, 'shown once there is room');
  await page.evaluate(`document.querySelector('.scanpy-anim-explorer').parentElement.style.width = '0'`);
  await page.waitForTimeout(300);
  await page.evaluate(`document.querySelector('.scanpy-anim-explorer').parentElement.style.width = ''`);
  const now = await until(page, (s) => s.box[2] > 100, 'has its size again');
  said('of no size, and of one again', now.box[2] > 100 && !now.message);
  await quiet(page, 'hidden');
  const tab = await open(browser, 'scores');
  await until(tab, (s) => s.shown, 'the first picture');
  await tab.keyboard.press('Home');
  await tab.keyboard.press(' ');
  const other = await tab.context().newPage();
  await other.bringToFront();
  await other.waitForTimeout(1500);
  await tab.bringToFront();
  const back = await state(tab);
  said('a hidden tab comes back', back.shown && !back.message, `${back.play} ${back.text}`);
  await quiet(tab, 'hidden tab');
}

async function checkLooks(browser) {
  const phone = {viewport: {width: 375, height: 740}, deviceScaleFactor: 2, hasTouch: true, isMobile: true};
  for (const [name, options] of [['desktop', {}], ['phone', phone]]) {
    for (const colorScheme of ['light', 'dark']) {
      for (const page of ['scores', 'labels', 'morph', 'panels', 'turn', 'sorted']) {
        const view = await open(browser, page, {...options, colorScheme});
        const now = await until(view, (s) => s.shown && s.box[2], page);
        const [u, v] = {morph: [0.27, 0.68], turn: [0.46, 0.58]}[page] ?? [0.83, 0.57]; // where cells are
        if (options.hasTouch) await view.touchscreen.tap(now.box[0] + now.box[2] * u, now.box[1] + now.box[3] * v);
        await view.waitForTimeout(400);
        await view.screenshot({path: `${folder}/${page}-${name}-${colorScheme}.png`});
        const wide = await view.evaluate('document.documentElement.scrollWidth - innerWidth');
        const tall = await view.evaluate('document.documentElement.scrollHeight - innerHeight');
        if (name === 'desktop' && page !== 'panels') said(`${page} ${colorScheme}: as tall as the window`, tall <= 0, tall);
        said(`${page} ${name} ${colorScheme}: nothing sticks out`, wide <= 0, wide);
        if (options.hasTouch) said('tap', (await state(view)).tip.length > 0);
        await view.context().close();
      }
    }
  }
}

(async () => {
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync']});
  try {
    const checks = [checkScores, checkLabels, checkMoving, checkOthers, checkPanels, checkPlaces, checkMany, checkStrange, checkLooks];
    for (const check of checks) if (!wanted.length || wanted.includes(check.name)) await check(browser);
  } finally {
    await browser.close();
  }
})();
