// Lengths as they are said: in metres where those are known, else as shares of the distance to the subject.

export class Measures {
  constructor(editor) {
    this.editor = editor;
  }

  get place() { return this.editor.props.place ?? {}; }

  // Scene units in a metre, or null. Where a floor is seen they follow from how high the photo was taken
  get metre() {
    const { metric, floor } = this.place;
    return metric ? 1 : floor ? floor / this.editor.eyeLevel : null;
  }

  // Scene units of what is counted in
  get unit() { return this.metre ?? this.editor.distance; }

  // What stands before metres that follow from an assumed eye level
  get prefix() { return this.metre && !this.place.metric ? '≈ ' : ''; }

  // Height above the floor where that is known, else above where the photo was taken <-> y in the scene, which is down
  heightOf(y) { return ((this.place.floor ?? 0) - y) / this.unit; }
  yAt(height) { return (this.place.floor ?? 0) - height * this.unit; }

  heightText(y) {
    const { say, number } = this.editor;
    const height = this.heightOf(y);
    if (this.metre) return `${this.prefix}${say('metres', { number: number(height, 2) })}`;
    return `${height > 5e-3 ? '+' : ''}${number(height, 2)} ×`;
  }
}
