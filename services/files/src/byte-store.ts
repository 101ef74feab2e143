/** Where the bytes of files are kept. Each object is written once and never changes. */
export interface ByteStore extends AsyncDisposable {
  /**
   * Keeps what the source yields. Nothing of it can be read before all of it is safe; a write that fails leaves nothing
   * that `remove` does not remove.
   * @throws what the source throws; ParleyError `unavailable`, also where the signal ends it.
   */
  write(objectId: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /**
   * Some of the bytes; fewer than asked at the end, none behind it.
   * @throws ParleyError `file_not_found`, `unavailable`.
   */
  read(
    objectId: string,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Removes the object, and what a broken write has left of it; it may be gone already. @throws ParleyError `unavailable` */
  remove(objectId: string): Promise<void>;
  /** @throws unless the store can be reached. */
  ping(): Promise<void>;
}
