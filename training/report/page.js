// The figures of a report, drawn of the JSON that the page holds. What they tell is in the page's tables as well.
'use strict';
(() => {
  const report = JSON.parse(document.getElementById('report').textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dashes = (i) => [[], [8, 4], [2, 3]][i % 3];

  const axis = (more) => ({
    stroke: colour('--soft'),
    grid: {stroke: colour('--line'), width: 1},
    ticks: {stroke: colour('--line'), width: 1},
    font: '12px system-ui, sans-serif',
    ...more,
  });
  const shown = (value) => (value == null ? '–' : Number(value.toPrecision(4)).toString());

  // Series differ in colour and in dashes.
  function chart(place, x, series, scale, xAxis, xLabel) {
    const options = {
      width: Math.max(place.clientWidth, 200),
      height: 260,
      scales: {x: {time: false, ...scale}},
      axes: [axis(xAxis), axis({size: 60, values: (_, ticks) => ticks.map(shown)})],
      series: [
        {label: xLabel},
        ...series.map(({label}, i) => ({
          label,
          stroke: colour(`--s${i % 6}`),
          dash: dashes(i),
          width: 2,
          points: {show: x.length <= 60, size: 6, fill: colour(`--s${i % 6}`)},
          value: (_, value) => shown(value),
          spanGaps: true,
        })),
      ],
      cursor: {drag: {x: false, y: false}},
      legend: {markers: {width: 3, dash: (_, i) => ['solid', 'dashed', 'dotted'][(i - 1) % 3]}},
      // Where nothing is pointed at, the legend has the last values.
      hooks: {setLegend: [(drawn) => drawn.legend.idx == null && drawn.setLegend({idx: x.length - 1}, false)]},
    };
    return new uPlot(options, [x, ...series.map(({values}) => values)], place);
  }

  function panel(place) {
    const {columns, rows, panels} = report.history;
    const column = (name) => rows.map((row) => row[columns.indexOf(name)]);
    const x = column('epoch');
    const range = (_, low, high) => (low === high ? [low - 1, high + 1] : [low, high]);
    const whole = [1, 2, 5].flatMap((n) => [n, n * 10, n * 100, n * 1000]).sort((a, b) => a - b);
    const series = panels[place.dataset.panel].columns.map((name) => ({label: name, values: column(name)}));
    return chart(place, x, series, {range}, {incrs: whole}, 'epoch');
  }

  function hits(place) {
    const ks = Object.keys(report.evaluation.hits).map(Number);
    const values = ks.map((k) => report.evaluation.hits[k]);
    const named = (k) => (place.clientWidth >= 480 || String(k).startsWith('1') ? String(k) : '');
    const ticks = {splits: () => ks, values: (_, splits) => splits.map(named), filter: (_, splits) => splits};
    return chart(place, ks, [{label: 'hits@K', values}], {distr: 3}, ticks, 'K');
  }

  const kSvg = 'http://www.w3.org/2000/svg';
  function svg(name, attributes, parent) {
    const element = document.createElementNS(kSvg, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (parent) parent.append(element);
    return element;
  }

  // Classes differ in shape and in colour; what belongs to none is a ring.
  const kShapes = [
    'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z', 'M-5 -5h10v10h-10z', 'M0 -6L6 5H-6z', 'M0 -6.5L6.5 0L0 6.5L-6.5 0z',
    'M0 6L6 -5H-6z', 'M-6 -2H-2V-6H2V-2H6V2H2V6H-2V2H-6z',
  ];
  const kRing = 'M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z';

  function map(place) {
    const {of, points} = report.map;
    let groups = [...new Set(points.map((point) => point[3]).filter((group) => group !== null))];
    if (groups.length > report.map.most_shapes) groups = [];
    const width = Math.max(place.clientWidth, 200), height = Math.round(Math.min(Math.max(width * 0.75, 380), 560)), margin = 24;
    const low = [1, 2].map((i) => Math.min(...points.map((point) => point[i])));
    const high = [1, 2].map((i) => Math.max(...points.map((point) => point[i])));
    // Each direction by its own scale: the second is often much narrower than the first.
    const scale = [(width - 2 * margin) / (high[0] - low[0] || 1), (height - 2 * margin) / (high[1] - low[1] || 1)];
    const spots = points.map(([name, x, y, group]) => ({
      name, group,
      x: width / 2 + (x - (low[0] + high[0]) / 2) * scale[0],
      y: height / 2 - (y - (low[1] + high[1]) / 2) * scale[1],
    }));

    place.textContent = '';
    const drawing = svg('svg', {viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: 'group',
      'aria-label': `Map of ${points.length} ${of}. Arrow keys go from point to point; the table below has all of them.`}, place);
    const told = document.createElement('output');
    told.setAttribute('aria-live', 'polite');
    told.textContent = 'Point at the map, or go through it with the arrow keys.';
    place.append(told);

    const shape = (group) => {
      const i = groups.indexOf(group);
      return i < 0 ? {d: kRing, class: 'gx'} : {d: kShapes[i % kShapes.length], class: `g${i % 6}`};
    };
    for (const spot of spots)
      spot.mark = svg('path', {...shape(spot.group), transform: `translate(${spot.x.toFixed(1)} ${spot.y.toFixed(1)})`}, drawing);

    // As many names as have room.
    const taken = [];
    for (const {name, x, y} of spots) {
      const short = name.length > 18 ? name.slice(0, 17) + '…' : name;
      const half = 4 + 3.6 * short.length;
      for (const side of [-9, 17]) {
        const box = [x - half, y + side - 11, x + half, y + side + 3];
        if (box[0] < 0 || box[2] > width || box[1] < 0 || box[3] > height) continue;
        if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
        taken.push(box);
        svg('text', {x: x.toFixed(1), y: (y + side).toFixed(1), 'text-anchor': 'middle'}, drawing).textContent = short;
        break;
      }
    }

    if (groups.length) {
      const legend = document.createElement('ul');
      for (const group of groups) {
        const item = document.createElement('li'), name = document.createElement('bdi');
        svg('path', shape(group), svg('svg', {viewBox: '-7 -7 14 14', 'aria-hidden': 'true'}, item));
        name.textContent = group;
        item.append(name);
        legend.append(item);
      }
      place.append(legend);
    }

    let current = null;
    function go(spot) {
      if (!spot || spot === current) return;
      if (current) current.mark.classList.remove('on');
      current = spot;
      spot.mark.classList.add('on');
      told.textContent = spot.group === null ? spot.name : `${spot.name}: speaks for ${spot.group}`;
    }
    const nearest = (x, y, among) => among.reduce((best, spot) => {
      const distance = Math.hypot(spot.x - x, spot.y - y);
      return distance < best[0] ? [distance, spot] : best;
    }, [Infinity, null]);
    drawing.addEventListener('pointermove', (event) => {
      const box = drawing.getBoundingClientRect(), zoom = width / box.width;
      const [distance, spot] = nearest((event.clientX - box.left) * zoom, (event.clientY - box.top) * zoom, spots);
      if (distance < 24) go(spot);
    });
    drawing.addEventListener('keydown', (event) => {
      const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
      if (!way) return;
      event.preventDefault();
      if (!current) return go(nearest(width / 2, height / 2, spots)[1]);
      const ahead = spots.filter((spot) => {
        const along = (spot.x - current.x) * way[0] + (spot.y - current.y) * way[1];
        const across = Math.abs((spot.x - current.x) * way[1]) + Math.abs((spot.y - current.y) * way[0]);
        return along > 0 && across <= along;
      });
      go(nearest(current.x, current.y, ahead)[1]);
    });
    return {destroy: () => {}};
  }

  const figures = [];
  const add = (selector, draw) => document.querySelectorAll(selector).forEach((place) => figures.push({place, draw}));
  add('[data-panel]', panel);
  add('[data-hits]', hits);
  add('[data-map]', map);
  function drawAll() {
    for (const figure of figures) {
      if (figure.drawn) figure.drawn.destroy();
      figure.width = figure.place.clientWidth;
      figure.drawn = figure.draw(figure.place);
    }
  }
  drawAll();
  // Colours and widths are drawn in: other ones want another drawing.
  for (const query of ['(prefers-color-scheme: dark)', 'print']) matchMedia(query).addEventListener('change', drawAll);
  addEventListener('resize', () => {
    if (figures.some(({place, width}) => place.clientWidth !== width)) drawAll();
  });
})();
