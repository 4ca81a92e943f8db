// The photo as a place: its pixels in space as a surface, seen from above, from around, and from a camera of the path.
// One WebGL canvas lies under both views; where nothing is known it stays clear, and the hatching of the page shows.
import {
  BufferAttribute, BufferGeometry, DoubleSide, FrontSide, Matrix4, Mesh, OrthographicCamera, PerspectiveCamera, Points,
  Scene, ShaderMaterial, WebGLRenderer,
} from '../static/vendor/three.js';
import { surface, thinned } from './pixels.js';

const CUT = 0.02; // of the subject's distance: what is higher above the camera is cut away, as in a floor plan

const VERTEX = `
  attribute vec3 shade;
  uniform float pixel, pointSize, focal;
  varying vec3 tone;
  void main() {
    tone = shade;
    vec4 eye = modelViewMatrix * vec4(position, 1.0);
    gl_Position = projectionMatrix * eye;
    // as large as a pixel of the photo looks from here, so that no gaps open between neighbours
    gl_PointSize = pointSize > 0.0 ? pointSize : 1.0 + 1.3 * position.z * pixel * focal / max(-eye.z, 1e-6);
  }`;
const FRAGMENT = `
  uniform float fade;
  varying vec3 tone;
  void main() { gl_FragColor = vec4(mix(tone, vec3(1.0), fade), 1.0); }`;

// A browser that draws in software does not always say so; the name of its renderer does
function hasGraphicsCard() {
  const gl = document.createElement('canvas').getContext('webgl2');
  const facts = gl?.getExtension('WEBGL_debug_renderer_info');
  const name = facts ? gl.getParameter(facts.UNMASKED_RENDERER_WEBGL) : '';
  gl?.getExtension('WEBGL_lose_context')?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

export class Place {
  // canvas: covers both views. coarse: without a graphics card only every coarse-th pixel is drawn while something
  // moves. Throws where the browser has no WebGL
  constructor(canvas, coarse) {
    const card = hasGraphicsCard();
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, alpha: true, antialias: card, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(card ? Math.min(window.devicePixelRatio, 2) : 1);
    this.renderer.setClearColor(0, 0);
    this.renderer.autoClear = false;
    this.coarseStep = card ? 1 : coarse;
    this.scene = new Scene();
    this.fromAbove = new OrthographicCamera();
    this.perspective = new PerspectiveCamera();
    for (const camera of [this.fromAbove, this.perspective]) camera.matrixAutoUpdate = false;
    const uniforms = () => ({
      pixel: { value: 0 }, pointSize: { value: 0 }, focal: { value: 1 }, fade: { value: 0 },
    });
    const shaders = { vertexShader: VERTEX, fragmentShader: FRAGMENT };
    this.skin = new ShaderMaterial({ ...shaders, uniforms: uniforms() });
    this.dots = new ShaderMaterial({ ...shaders, uniforms: uniforms() });
    this.pixels = null;
  }

  // pixels: as `parse` gives them. distance: of the subject
  show(pixels, distance) {
    this.pixels = pixels;
    this.distance = distance;
    this.far = 2 * pixels.depth.reduce((far, z) => Math.max(far, z), 0);
    for (const part of this.scene.children) part.geometry.dispose();
    this.scene.clear();
    this.drawn = null;
    this.layers = new Map();
  }

  // The place made of every `step`th pixel
  layer(step) {
    if (!this.layers.has(step)) this.layers.set(step, this.build(step));
    return this.layers.get(step);
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
    // From above a wall is seen edge-on: its pixels show as a line. From the camera dots close the gaps at the edges
    const parts = {
      skin: new Mesh(skin, this.skin), all: new Points(geometry, this.dots), rims: new Points(rims, this.dots),
    };
    for (const part of Object.values(parts)) {
      part.frustumCulled = false;
      this.scene.add(part);
    }
    return { ...parts, step, pixel: pixels.pixel };
  }

  // y in the scene, which is down
  get cut() {
    return -CUT * this.distance;
  }

  // The canvas takes the size it has on the page, which clears it
  fit() {
    const size = `${this.canvas.clientWidth} ${this.canvas.clientHeight}`;
    if (size === this.size) return;
    this.size = size;
    this.drawn = null;
    this.renderer.setSize(this.canvas.clientWidth, this.canvas.clientHeight, false);
  }

  // The path is drawn above the canvas: the place itself changes only with the view
  isDrawn(view, layer) {
    const name = JSON.stringify(view);
    if (name === this.drawn?.name && layer.step >= this.drawn.step) return true;
    this.drawn = { name, step: layer.step };
    return false;
  }

  // box: {x, y, width, height} in CSS pixels of the canvas. view: {x, z, scale}: the point of the floor in the middle
  // of the box, and CSS pixels per scene unit
  drawAbove(box, { x, z, scale }, layer) {
    if (!this.pixels || this.isDrawn([box, x, z, scale], layer)) return;
    const [w, h] = [box.width / scale / 2, box.height / scale / 2];
    Object.assign(this.fromAbove, { left: -w, right: w, top: h, bottom: -h, near: 0, far: 4 * this.far });
    this.fromAbove.updateProjectionMatrix();
    // right is +x, up on the page is +z (away from the photo's camera), the camera hangs over the room and looks down
    this.pose(this.fromAbove, [[1, 0, 0], [0, 0, -1], [0, 1, 0]], [x, this.cut, z]);
    const pointSize = 2 * layer.step * this.renderer.getPixelRatio();
    this.draw(this.fromAbove, box, [layer.skin, layer.all], DoubleSide, { pointSize, fade: 0.25 });
  }

  // view: {position, rotation, fov}. A surface shows only the side that the photo saw: one looks in through the backs
  // of walls and ceiling
  drawAround(box, { position, rotation, fov }, layer) {
    if (!this.pixels || this.isDrawn([box, position, rotation, fov], layer)) return;
    this.standAt(box, { position, rotation, fov });
    this.draw(this.perspective, box, [layer.skin], FrontSide, { pointSize: 0, fade: 0.12 });
  }

  // view: {position, rotation, fov}, as path.js gives it
  drawFrom(box, view, layer) {
    if (!this.pixels) return;
    const across = this.standAt(box, view);
    const focal = (box.width / 2 / across) * this.renderer.getPixelRatio();
    const values = { pointSize: 0, fade: 0, focal, pixel: layer.pixel };
    this.draw(this.perspective, box, [layer.skin, layer.rims], FrontSide, values);
  }

  // Returns half the width of what the camera sees at distance 1
  standAt(box, { position, rotation, fov }) {
    const aspect = box.width / box.height;
    const across = Math.tan((fov * Math.PI) / 360);
    this.perspective.fov = (360 / Math.PI) * Math.atan(across / aspect);
    Object.assign(this.perspective, { aspect, near: 0.01 * this.distance, far: this.far + Math.hypot(...position) });
    this.perspective.updateProjectionMatrix();
    // three.js looks along -z with y up
    this.pose(this.perspective, rotation.map(([right, down, ahead]) => [right, -down, -ahead]), position);
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

  // The nearest point under {x, y}, in 0..1 of the picture; view as in drawFrom. null where there is none
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

  // The highest point within `reach` of a point of the floor
  pickAbove([x, z], reach) {
    return this.nearest((point) => {
      const off = Math.hypot(point[0] - x, point[2] - z);
      return off < reach && point[1] > this.cut ? point[1] + (off / reach) * this.distance : Infinity;
    });
  }

  // The pixel with the least cost, as a point; null where all cost is infinite
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
