/** The key names an object of other content; objects never change. */
export class ObjectDiffers extends Error {
  override readonly name = "ObjectDiffers";
  readonly retry = false;

  constructor(key: string) {
    super(`the object ${key} is there with other content, and objects never change`);
  }
}

export class ObjectMissing extends Error {
  override readonly name = "ObjectMissing";
  readonly retry = false;

  constructor(key: string) {
    super(`there is no object ${key} in this data directory`);
  }
}

export class ObjectTooLarge extends Error {
  override readonly name = "ObjectTooLarge";
  readonly retry = false;
  readonly bytesMax: number;

  constructor(bytesMax: number) {
    super(`an object holds at most ${bytesMax} bytes here`);
    this.bytesMax = bytesMax;
  }
}

/** The disk has less room than must stay free; it may have more later. */
export class ObjectsFull extends Error {
  override readonly name = "ObjectsFull";
  readonly retry = true;

  constructor() {
    super("the disk has too little room for another object");
  }
}
