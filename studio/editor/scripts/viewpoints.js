// Where the room is seen from: straight from above, or from anywhere around it. Each viewpoint projects a point of the
// room to a spot of the pane ([x, y] in CSS pixels) and a spot back to the point at some height. box: the pane's size.
import { add, inCamera, lookAt, norm, scale, subtract } from './path.js';

const DEGREE = Math.PI / 180;
const PITCH = [-5, 89]; // degrees: from just under the horizon to straight down
const FAR = 30; // times the distance of the viewpoint: nobody moves a point farther than that

export class FromAbove {
  constructor() {
    Object.assign(this, { x: 0, z: 0.5, scale: 100, box: { width: 1, height: 1 } });
  }

  spotOf([x, , z]) {
    return [this.box.width / 2 + (x - this.x) * this.scale, this.box.height / 2 - (z - this.z) * this.scale];
  }

  // The point at height y under a spot
  pointAt([px, py], y = 0) {
    return [this.x + (px - this.box.width / 2) / this.scale, y, this.z - (py - this.box.height / 2) / this.scale];
  }

  // CSS pixels per scene unit at a point
  scaleAt() {
    return this.scale;
  }

  // Shows all of `points` and the way to the subject, `distance` away
  fit(points, distance) {
    const all = [...points, [-0.6 * distance, 0, -0.15 * distance], [0.6 * distance, 0, 1.15 * distance]];
    const [xs, zs] = [all.map((p) => p[0]), all.map((p) => p[2])];
    const [left, right, near, far] = [Math.min(...xs), Math.max(...xs), Math.min(...zs), Math.max(...zs)];
    const { width, height } = this.box;
    const span = Math.max((right - left) / Math.max(width - 96, 1), (far - near) / Math.max(height - 64, 1));
    Object.assign(this, { x: (left + right) / 2, z: (near + far) / 2, scale: 1 / Math.max(span, 1e-9) });
  }

  // Closer by `factor` about a spot, within what can still be read
  zoom(factor, spot, distance) {
    const [x, , z] = this.pointAt(spot);
    this.scale = Math.min(Math.max(this.scale * factor, 4 / distance), 4000 / distance);
    const [movedX, , movedZ] = this.pointAt(spot);
    this.x += x - movedX;
    this.z += z - movedZ;
  }

  // A drag with mouse or one finger, by so many pixels; from: a copy of this from when it began. Here the room moves
  // with the hand, seen from around it turns
  turn(from, dx, dy) {
    this.slide(from, dx, dy);
  }

  // A drag with two fingers: the room moves with the hand
  slide(from, dx, dy) {
    this.x = from.x - dx / this.scale;
    this.z = from.z + dy / this.scale;
  }

  // One press of an arrow key
  step(dx, dy) {
    this.slide({ ...this }, -40 * dx, -40 * dy);
  }
}

export class FromAround {
  constructor() {
    Object.assign(this, { yaw: -30, pitch: 30, distance: 2, pivot: [0, 0, 0.5], box: { width: 1, height: 1 } });
    this.aim();
  }

  // To be called after any change of yaw, pitch, distance or pivot
  aim() {
    this.pitch = Math.min(Math.max(this.pitch, PITCH[0]), PITCH[1]);
    const [yaw, pitch] = [this.yaw * DEGREE, this.pitch * DEGREE];
    const backwards = [Math.sin(yaw) * Math.cos(pitch), -Math.sin(pitch), -Math.cos(yaw) * Math.cos(pitch)];
    this.position = add(this.pivot, scale(backwards, this.distance));
    this.rotation = lookAt(this.position, this.pivot);
    this.focal = 1.1 * Math.min(this.box.width, this.box.height); // pixels
    this.fov = 2 * Math.atan(this.box.width / 2 / this.focal) / DEGREE;
  }

  spotOf(point) {
    const [x, y, z] = inCamera(point, this);
    if (z < 0.02 * this.distance) return null; // behind the viewpoint, or too near
    return [this.box.width / 2 + (this.focal * x) / z, this.box.height / 2 + (this.focal * y) / z];
  }

  // null where the ray does not meet that height
  pointAt([px, py], y = 0) {
    const ray = [(px - this.box.width / 2) / this.focal, (py - this.box.height / 2) / this.focal, 1];
    const direction = this.rotation.map((row) => row.reduce((sum, part, i) => sum + part * ray[i], 0));
    const share = (y - this.position[1]) / direction[1];
    const hit = add(this.position, scale(direction, share));
    return share > 0 && norm(subtract(hit, this.pivot)) < FAR * this.distance ? hit : null;
  }

  scaleAt(point) {
    return this.focal / Math.max(inCamera(point, this)[2], 1e-9);
  }

  fit(points, distance) {
    const all = [...points, [-0.2 * distance, 0, 1.1 * distance]];
    const middle = [0, 1, 2].map((i) => {
      const parts = all.map((point) => point[i]);
      return (Math.min(...parts) + Math.max(...parts)) / 2;
    });
    const reach = Math.max(...all.map((point) => norm(subtract(point, middle))), 0.5 * distance);
    Object.assign(this, { yaw: -30, pitch: 30, pivot: middle, distance: 3 * reach });
    this.aim();
  }

  zoom(factor, spot, distance) {
    this.distance = Math.min(Math.max(this.distance / factor, 0.1 * distance), 20 * distance);
    this.aim();
  }

  // Round the middle of the view, as if the hand held the room
  turn(from, dx, dy) {
    this.yaw = from.yaw - 0.4 * dx;
    this.pitch = from.pitch + 0.3 * dy;
    this.aim();
  }

  slide(from, dx, dy) {
    const [across, down] = [dx, dy].map((pixels) => (-pixels * this.distance) / this.focal);
    this.pivot = from.pivot.map((part, row) => part + across * this.rotation[row][0] + down * this.rotation[row][1]);
    this.aim();
  }

  step(dx, dy) {
    this.turn({ ...this }, -15 * dx, 15 * dy);
  }
}
