import { ArrowDown } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { rowsOf } from '../../model/rows.ts';
import type { Timeline } from '../../model/timeline.ts';
import { useChat } from '../contexts.ts';
import { useObservable } from '../use-observable.ts';
import { TimelineRow } from './timeline-row.tsx';

/** Older messages are asked for when there is less than this above, in pixels. */
const loadAhead = 1_500;
/** So near to the end one stays at the end, in pixels. */
const endZone = 40;

/** What was said in the room: as much as is on the screen exists, however much there is. */
export function TimelineView({ timeline, roomName }: { timeline: Timeline; roomName: string }) {
  const me = useObservable(useChat().me).name;
  const state = useObservable(timeline.state);
  const rows = useMemo(() => rowsOf(state, me), [state, me]);
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const [isAway, setIsAway] = useState(false);
  const sendCount = state.sends.length + state.uploads.length;

  function toEnd(): void {
    isAtEnd.current = true;
    list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
  }

  function stay(): void {
    if (isAtEnd.current) toEnd();
  }

  function onScroll(offset: number): void {
    const handle = list.current;
    if (!handle) return;
    isAtEnd.current = offset + handle.viewportSize >= handle.scrollSize - endZone;
    setIsAway(!isAtEnd.current);
    loadIfNear(offset);
  }

  function loadIfNear(offset: number): void {
    if (offset < loadAhead && timeline.state.value.older === 'idle') void timeline.loadOlder();
  }

  // What oneself says is always seen.
  useLayoutEffect(() => {
    if (sendCount > 0) isAtEnd.current = true;
  }, [sendCount]);
  useLayoutEffect(stay);
  useEffect(() => {
    if (state.status === 'ready') loadIfNear(list.current?.scrollOffset ?? 0);
  });

  return (
    <div className="timeline">
      {state.status === 'loading' && rows.length === 0 && <TimelineSkeleton />}
      {state.status === 'failed' && (
        <div className="empty" role="alert">
          <h2>This room can’t be shown</h2>
          <p>{state.failure}</p>
          <button type="button" className="button" onClick={() => void timeline.load()}>
            Try again
          </button>
        </div>
      )}
      {state.older === 'loading' && <p className="older-line">Loading older messages …</p>}
      {state.older === 'failed' && (
        <p className="older-line" role="alert">
          Older messages did not come.{' '}
          <button type="button" className="link-button" onClick={() => void timeline.loadOlder()}>
            Try again
          </button>
        </p>
      )}
      {/* The keyboard scrolls what it can reach. */}
      <div
        className="timeline-scroller"
        ref={scroller}
        role="region"
        aria-label={`Messages in ${roomName}`}
        tabIndex={0}
      >
        <div className="timeline-spacer" />
        <Virtualizer
          ref={list}
          scrollRef={scroller}
          data={rows}
          shift={state.grewAtStart}
          onScroll={onScroll}
          onResize={stay}
        >
          {(row) => <TimelineRow key={row.key} row={row} timeline={timeline} receipts={state.receipts} />}
        </Virtualizer>
      </div>
      {isAway && (
        <button type="button" className="to-end" onClick={toEnd}>
          <ArrowDown aria-hidden="true" /> To the newest
        </button>
      )}
    </div>
  );
}

/** In the messages' place until they are there. */
function TimelineSkeleton() {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">Loading messages …</span>
      {[62, 40, 75, 30, 55].map((width) => (
        <div key={width} className="skeleton-row" aria-hidden="true">
          <span className="skeleton-avatar" />
          <span className="skeleton-text" style={{ width: `${width}%` }} />
        </div>
      ))}
    </div>
  );
}
