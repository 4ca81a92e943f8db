// The photo as a place: its lifted pixels as a surface, seen from above, from around, and from a camera of the path. One
// WebGL canvas lies under both views; where nothing is known it stays clear, and the hatching of the page shows through.
import {
  BufferAttribute, BufferGeometry, DoubleSide, FrontSide, Matrix4, Mesh, OrthographicCamera, PerspectiveCamera, Points,
  Scene, ShaderMaterial, WebGLRenderer,
} from '../static/vendor/three.js';

const EDGE = 1.1; // neighbouring pixels whose depths differ by more belong to two surfaces
const SLOW = 36; // ms from picture to picture: a machine that takes longer gets a coarser room while things move
const COARSEST = 6; // every sixth pixel
const STEADY = 6; // pictures that tell how quick a machine is
const MAGIC = 0x314c504d; // 'MPL1'
const EYE_LEVEL = 0.02; // of the subject's distance: what is higher above the camera is cut away, as in a floor plan

const VERTEX = `
  attribute vec3 shade;
  uniform float pixel, pointSize, focal;
  varying vec3 tone;
  void main() {
    tone = shade;
    vec4 eye = modelViewMatrix * vec4(position, 1.0);
    gl_Position = projectionMatrix * eye;
    // as large as the pixel of the photo is from here, so that no gaps open between neighbours
    gl_PointSize = pointSize > 0.0 ? pointSize : 1.0 + 1.3 * position.z * pixel * focal / max(-eye.z, 1e-6);
  }`;
const FRAGMENT = `
  uniform float fade;
  varying vec3 tone;
  void main() { gl_FragColor = vec4(mix(tone, vec3(1.0), fade), 1.0); }`;

// The file that studio/editor/place.py writes -> the pixels of the photo in space
export function parse(buffer) {
  const head = new DataView(buffer);
  if (buffer.byteLength < 32 || head.getUint32(0, true) !== MAGIC) throw new Error('not a place');
  const [width, height] = [head.getUint32(4, true), head.getUint32(8, true)];
  const [fx, fy, cx, cy] = [12, 16, 20, 24].map((at) => head.getFloat32(at, true));
  const count = width * height;
  if (buffer.byteLength !== 32 + count * 7) throw new Error('the place is cut short');
  const depth = new Float32Array(buffer, 32, count);
  const colours = new Uint8Array(buffer, 32 + 4 * count, 3 * count);
  const positions = new Float32Array(3 * count);
  for (let i = 0; i < count; i += 1) {
    const z = depth[i];
    positions[3 * i] = (((i % width) + 0.5 - cx) / fx) * z;
    positions[3 * i + 1] = ((Math.floor(i / width) + 0.5 - cy) / fy) * z;
    positions[3 * i + 2] = z;
  }
  return { width, height, depth, colours, positions, pixel: 1 / fx };
}

// Every `step`th pixel of every `step`th row
function thinned(pixels, step) {
  if (step === 1) return pixels;
  const [width, height] = [Math.ceil(pixels.width / step), Math.ceil(pixels.height / step)];
  const kept = { width, height, pixel: pixels.pixel * step };
  for (const [name, size] of [['depth', 1], ['positions', 3], ['colours', 3]]) {
    kept[name] = new pixels[name].constructor(width * height * size);
    for (let i = 0; i < width * height; i += 1) {
      const from = size * (Math.floor(i / width) * step * pixels.width + (i % width) * step);
      for (let k = 0; k < size; k += 1) kept[name][size * i + k] = pixels[name][from + k];
    }
  }
  return kept;
}

// The triangles between neighbouring pixels, and the pixels at the rims of what they form
function surface({ width, height, depth }) {
  const faces = new Uint32Array(6 * (width - 1) * (height - 1));
  const isRim = new Uint8Array(width * height);
  let count = 0;
  const face = (a, b, c) => {
    const low = Math.min(depth[a], depth[b], depth[c]);
    if (low > 0 && Math.max(depth[a], depth[b], depth[c]) < EDGE * low) {
      faces[count] = a;
      faces[count + 1] = b;
      faces[count + 2] = c;
      count += 3;
    } else {
      isRim[a] = 1;
      isRim[b] = 1;
      isRim[c] = 1;
    }
  };
  for (let row = 0; row < height - 1; row += 1) {
    for (let i = row * width; i < (row + 1) * width - 1; i += 1) {
      face(i, i + width, i + 1);
      face(i + 1, i + width, i + width + 1);
    }
  }
  const rim = [];
  for (let i = 0; i < isRim.length; i += 1) if (isRim[i] && depth[i] > 0) rim.push(i);
  return { faces: faces.slice(0, count), rim: Uint32Array.from(rim) };
}

// Browsers that draw in software do not always own up to it; the name of what draws does
function hasGraphicsCard() {
  const gl = document.createElement('canvas').getContext('webgl2');
  const facts = gl?.getExtension('WEBGL_debug_renderer_info');
  const name = facts ? gl.getParameter(facts.UNMASKED_RENDERER_WEBGL) : '';
  gl?.getExtension('WEBGL_lose_context')?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

export class Place {
  // canvas: covers both views. coarse: every how many pixels are drawn while something moves on a machine that has no
  // graphics card, to begin with. Throws where the browser has no WebGL
  constructor(canvas, coarse) {
    const card = hasGraphicsCard();
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, alpha: true, antialias: card, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(card ? Math.min(window.devicePixelRatio, 2) : 1);
    this.renderer.setClearColor(0, 0);
    this.renderer.autoClear = false;
    this.quick = card ? 1 : coarse;
    this.intervals = [];
    this.scene = new Scene();
    this.flat = new OrthographicCamera();
    this.eye = new PerspectiveCamera();
    for (const camera of [this.flat, this.eye]) camera.matrixAutoUpdate = false;
    const uniforms = () => ({
      pixel: { value: 0 }, pointSize: { value: 0 }, focal: { value: 1 }, fade: { value: 0 },
    });
    const look = { vertexShader: VERTEX, fragmentShader: FRAGMENT };
    this.skin = new ShaderMaterial({ ...look, uniforms: uniforms() });
    this.dots = new ShaderMaterial({ ...look, uniforms: uniforms() });
    this.pixels = null;
  }

  show(pixels, distance) {
    this.pixels = pixels;
    this.distance = distance;
    this.far = 2 * pixels.depth.reduce((far, z) => Math.max(far, z), 0);
    for (const part of this.scene.children) part.geometry.dispose();
    this.scene.clear();
    this.drawn = null;
    this.layers = new Map();
  }

  // The room made of every `step`th pixel
  layer(step) {
    if (!this.layers.has(step)) this.layers.set(step, this.build(step));
    return this.layers.get(step);
  }

  // Called with the time of every picture while it plays: pictures that come too late make the next ones coarser
  pace(now) {
    this.intervals.push(now - (this.before ?? -Infinity));
    this.before = now;
    if (this.intervals.some((interval) => interval > 500)) this.intervals = []; // it was not playing meanwhile
    if (this.intervals.length < STEADY) return;
    const mean = this.intervals.reduce((sum, interval) => sum + interval) / STEADY;
    this.intervals = [];
    if (mean > SLOW && this.quick < COARSEST) this.quick += 1;
  }

  build(step) {
    const pixels = thinned(this.pixels, step);
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new BufferAttribute(pixels.positions, 3));
    geometry.setAttribute('shade', new BufferAttribute(pixels.colours, 3, true));
    const [skin, rims] = [new BufferGeometry(), new BufferGeometry()];
    for (const part of [skin, rims]) {
      for (const name of ['position', 'shade']) part.setAttribute(name, geometry.getAttribute(name));
    }
    const { faces, rim } = surface(pixels);
    skin.setIndex(new BufferAttribute(faces, 1));
    rims.setIndex(new BufferAttribute(rim, 1));
    // From above a wall is seen edge-on: its pixels show as a line. From the camera dots close the seams at the rims
    const parts = {
      skin: new Mesh(skin, this.skin), all: new Points(geometry, this.dots), rims: new Points(rims, this.dots),
    };
    for (const part of Object.values(parts)) {
      part.frustumCulled = false;
      this.scene.add(part);
    }
    return { ...parts, step, pixel: pixels.pixel };
  }

  get cut() {
    return -EYE_LEVEL * this.distance;
  }

  // The canvas follows the page; what was on it is gone then
  fit() {
    const size = `${this.canvas.clientWidth} ${this.canvas.clientHeight}`;
    if (size === this.size) return;
    this.size = size;
    this.drawn = null;
    this.renderer.setSize(this.canvas.clientWidth, this.canvas.clientHeight, false);
  }

  // The path is drawn above the canvas: the room itself changes only when one looks elsewhere
  isDrawn(view, layer) {
    const name = JSON.stringify(view);
    if (name === this.drawn?.name && layer.step >= this.drawn.step) return true;
    this.drawn = { name, step: layer.step };
    return false;
  }

  // box: {x, y, width, height} in CSS pixels of the canvas. view: {x, z, scale}: the point of the floor in the middle of
  // the box, and CSS pixels per scene unit
  drawAbove(box, { x, z, scale }, layer) {
    if (!this.pixels || this.isDrawn([box, x, z, scale], layer)) return;
    const [w, h] = [box.width / scale / 2, box.height / scale / 2];
    Object.assign(this.flat, { left: -w, right: w, top: h, bottom: -h, near: 0, far: 4 * this.far });
    this.flat.updateProjectionMatrix();
    // right is +x, up on the page is +z (away from the photo's camera), the eye hangs over the room and looks down
    this.pose(this.flat, [[1, 0, 0], [0, 0, -1], [0, 1, 0]], [x, this.cut, z]);
    const pointSize = 2 * layer.step * this.renderer.getPixelRatio();
    this.draw(this.flat, box, [layer.skin, layer.all], DoubleSide, { pointSize, fade: 0.25 });
  }

  // view: {position, rotation, fov}. A surface shows the side that the photo saw: one looks in through the backs of
  // walls and ceiling
  drawAround(box, { position, rotation, fov }, layer) {
    if (!this.pixels || this.isDrawn([box, position, rotation, fov], layer)) return;
    this.stand(box, { position, rotation, fov });
    this.draw(this.eye, box, [layer.skin], FrontSide, { pointSize: 0, fade: 0.12 });
  }

  // view: {position, rotation, fov}, as path.js gives it
  drawFrom(box, view, layer) {
    if (!this.pixels) return;
    const across = this.stand(box, view);
    const focal = (box.width / 2 / across) * this.renderer.getPixelRatio();
    this.draw(this.eye, box, [layer.skin, layer.rims], FrontSide, { pointSize: 0, fade: 0, focal, pixel: layer.pixel });
  }

  stand(box, { position, rotation, fov }) {
    const aspect = box.width / box.height;
    const across = Math.tan((fov * Math.PI) / 360);
    this.eye.fov = (360 / Math.PI) * Math.atan(across / aspect);
    Object.assign(this.eye, { aspect, near: 0.01 * this.distance, far: this.far + Math.hypot(...position) });
    this.eye.updateProjectionMatrix();
    // three.js looks along -z with y up
    this.pose(this.eye, rotation.map(([right, down, ahead]) => [right, -down, -ahead]), position);
    return across;
  }

  pose(camera, [a, b, c], [x, y, z]) {
    camera.matrixWorld.copy(new Matrix4().set(...a, x, ...b, y, ...c, z, 0, 0, 0, 1));
    camera.matrixWorldInverse.copy(camera.matrixWorld).invert();
    camera.matrixWorldAutoUpdate = false;
  }

  draw(camera, box, parts, side, values) {
    for (const part of this.scene.children) part.visible = parts.includes(part);
    for (const material of [this.skin, this.dots]) {
      material.side = side;
      for (const [name, value] of Object.entries(values)) material.uniforms[name].value = value;
    }
    const bottom = this.canvas.clientHeight - box.y - box.height;
    this.renderer.setViewport(box.x, bottom, box.width, box.height);
    this.renderer.setScissor(box.x, bottom, box.width, box.height);
    this.renderer.setScissorTest(true);
    this.renderer.clear();
    this.renderer.render(this.scene, camera);
  }

  // The nearest thing under a spot of the camera view; at: {x, y} in 0..1 of the picture, view as in drawFrom
  pick({ x, y }, { position, rotation, fov }, aspect) {
    const across = Math.tan((fov * Math.PI) / 360);
    const ray = [(2 * x - 1) * across, ((2 * y - 1) * across) / aspect];
    const reach = (2 * across) / 40;
    return this.nearest((point) => {
      const [a, b, c] = [0, 1, 2].map((i) => point[i] - position[i]);
      const [u, v, w] = [0, 1, 2].map((i) => rotation[0][i] * a + rotation[1][i] * b + rotation[2][i] * c);
      const off = Math.hypot(u / w - ray[0], v / w - ray[1]);
      return w > 0.01 * this.distance && off < reach ? w * (1 + (4 * off) / reach) : Infinity;
    });
  }

  // The highest thing under a spot of the top view
  pickAbove([x, z], reach) {
    return this.nearest((point) => {
      const off = Math.hypot(point[0] - x, point[2] - z);
      return off < reach && point[1] > this.cut ? point[1] + (off / reach) * this.distance : Infinity;
    });
  }

  nearest(cost) {
    const { positions, depth } = this.pixels;
    let [best, at] = [Infinity, -1];
    for (let i = 0; i < depth.length; i += 1) {
      if (!(depth[i] > 0)) continue;
      const here = cost(positions.subarray(3 * i, 3 * i + 3));
      if (here < best) [best, at] = [here, i];
    }
    return at < 0 ? null : Array.from(positions.subarray(3 * at, 3 * at + 3));
  }
}
