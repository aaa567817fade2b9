function scanpyAnim(host, film, style) {
  if (host.shadowRoot) return;
  const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
  const icons = {
    play: icon("M7 4v16l13-8z"),
    pause: icon("M6 4h4v16H6zM14 4h4v16h-4z"),
    back: icon("M6 5h3v14H6zM19 5v14l-9-7z"),
    next: icon("M15 5h3v14h-3zM5 5v14l9-7z"),
    loop: icon("M7 7h10v3l4-4-4-4v3H5v6h2zM17 17H7v-3l-4 4 4 4v-3h12v-6h-2z"),
    full: icon("M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z"),
  };
  const source = host.querySelector("video").getAttribute("src");
  host.replaceChildren(host.querySelector("img")); // shown where the film cannot play
  const root = host.attachShadow({ mode: "open" });
  root.innerHTML = `
    <div class="player" role="group">
      <div class="stage"><video muted playsinline preload="auto" role="img"></video><slot></slot></div>
      <p class="sorry" role="alert">This browser cannot play the film (VP9 video): this is its last frame.</p>
      <div class="controls">
        <button class="play" type="button"></button>
        <button class="back" type="button" aria-label="Previous frame" title="Previous frame (←)">${icons.back}</button>
        <button class="next" type="button" aria-label="Next frame" title="Next frame (→)">${icons.next}</button>
        <input type="range" min="0" step="1" value="0" aria-label="Frame">
        <select aria-label="Speed" title="Speed">
          <option value="0.25">¼×</option><option value="0.5">½×</option>
          <option value="1" selected>1×</option><option value="2">2×</option><option value="4">4×</option>
        </select>
        <button class="loop" type="button" aria-label="Loop" title="Loop">${icons.loop}</button>
        <button class="full" type="button" aria-label="Full screen" title="Full screen (f)">${icons.full}</button>
      </div>
      <div class="words"><span class="title" aria-live="polite"></span><span class="count"></span></div>
    </div>`;
  try { // also where a page's policy forbids style elements
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.prepend(Object.assign(document.createElement("style"), { textContent: style }));
  }
  const find = (selector) => root.querySelector(selector);
  const [player, video, slider, play, loop, full] =
    [".player", "video", "input", ".play", ".loop", ".full"].map(find);
  const last = film.starts.length - 2;
  let frame = -1; // the one whose words are shown
  let wanted = null; // the one to seek to once the seek under way has ended
  let showings = 0;
  let playing = false; // what was asked for: the browser's own state follows

  const middle = (i) => (film.starts[i] + film.starts[i + 1]) / 2;
  function frameAt(time) {
    let low = 0, high = last;
    while (low < high) {
      const between = (low + high + 1) >> 1;
      if (film.starts[between] <= time + 5e-4) low = between;
      else high = between - 1;
    }
    return low;
  }
  function say(i) {
    if (i === frame) return;
    frame = i;
    const title = film.titles[i] || "";
    slider.value = i;
    slider.setAttribute("aria-valuetext", `${title ? title + ", " : ""}frame ${i + 1} of ${last + 1}`);
    find(".title").textContent = title;
    find(".count").textContent = `${i + 1} / ${last + 1}`;
  }
  function seek(i) {
    say(i);
    if (video.seeking) wanted = i;
    else video.currentTime = middle(i);
  }
  function step(to) {
    pause();
    seek(Math.max(0, Math.min(last, to)));
  }
  function follow() { // the picture on screen, not the clock, says which frame it is
    if (!playing) return;
    if (video.requestVideoFrameCallback) {
      video.requestVideoFrameCallback((now, { mediaTime }) => {
        if (playing) say(frameAt(mediaTime));
        follow();
      });
    } else {
      if (!video.seeking) say(frameAt(video.currentTime));
      requestAnimationFrame(follow);
    }
  }
  function showState() {
    play.innerHTML = playing ? icons.pause : icons.play;
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    play.title = playing ? "Pause (space)" : "Play (space)";
    loop.setAttribute("aria-pressed", String(video.loop));
    find(".title").setAttribute("aria-live", playing ? "off" : "polite");
  }
  function start() {
    if (playing) return;
    playing = true;
    wanted = null;
    if (video.ended || frame === last) {
      say(0);
      video.currentTime = 0;
    }
    video.play().catch(() => { if (video.paused) pause(); });
    follow();
    showState();
  }
  function pause() {
    playing = false;
    video.pause();
    showState();
  }
  function stop() {
    pause();
    seek(frame); // the picture may have gone on since its words were written
  }
  function toggle() {
    showings = 0;
    if (playing) stop();
    else start();
  }
  function toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else player.requestFullscreen().catch(() => {});
  }
  function press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = event.target.localName;
    const moves = { ArrowLeft: frame - 1, ArrowRight: frame + 1, Home: 0, End: last };
    if (event.key in moves && inside !== "select") step(moves[event.key]);
    else if (event.key === " " && inside !== "button" && inside !== "select") toggle();
    else if (event.key === "f" && inside !== "select" && !full.hidden) toggleFull();
    else return;
    event.preventDefault();
  }

  player.setAttribute("aria-label", film.description || "Film");
  video.setAttribute("aria-label", film.description || "Film");
  player.classList.toggle("page", film.page);
  player.style.setProperty("--width", `${film.width}px`);
  player.style.setProperty("--ratio", film.width / film.height);
  video.muted = true; // the attribute alone does not let every browser start it
  slider.max = last;
  video.loop = film.loop === 0;
  full.hidden = !document.fullscreenEnabled;
  video.addEventListener("seeked", () => {
    if (wanted === null) return;
    const i = wanted;
    wanted = null;
    seek(i);
  });
  video.addEventListener("ended", () => {
    showings += 1;
    if (showings < film.loop) {
      video.currentTime = 0;
      video.play().catch(pause);
    } else {
      pause();
      say(last);
    }
  });
  video.addEventListener("error", () => {
    if (video.src.startsWith("blob:")) { // a page's policy may let data: through alone
      video.src = source;
      if (playing) video.play().catch(() => {});
    } else {
      player.classList.add("broken");
    }
  });
  video.addEventListener("click", toggle);
  play.addEventListener("click", toggle);
  full.addEventListener("click", toggleFull);
  find(".back").addEventListener("click", () => step(frame - 1));
  find(".next").addEventListener("click", () => step(frame + 1));
  slider.addEventListener("input", () => step(Number(slider.value)));
  find("select").addEventListener("change", (event) => {
    video.defaultPlaybackRate = video.playbackRate = Number(event.target.value);
  });
  loop.addEventListener("click", () => {
    video.loop = !video.loop;
    showState();
  });
  root.addEventListener("keydown", (event) => {
    press(event);
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  if (film.page) document.addEventListener("keydown", press); // the page is the film's alone

  const bytes = Uint8Array.from(atob(source.split(",")[1]), (letter) => letter.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/webm" }));
  say(0);
  showState();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
    let resting = true; // paused because out of sight, not because someone said so
    new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && resting) {
        resting = false;
        start();
      } else if (!entry.isIntersecting && playing) {
        resting = true;
        stop();
      }
    }, { threshold: 0.1 }).observe(video);
  }
}
