// A store without a disk, whose commits can be held up and made to fail.
import { type StateStore, type StoredChange, StoreError } from '../../src/master/store.ts';
import type { StoredWrite } from '../../src/overlay/records.ts';

export interface MemoryStore extends StateStore {
	readonly changes: StoredChange[];
	/** How many commits have been begun. */
	begun: number;
	/** Whether the next commits fail. */
	isFull: boolean;
	/** What commits wait for. */
	gate: Promise<void>;
}

export function memoryStore(changes: StoredChange[] = []): MemoryStore {
	const store: MemoryStore = {
		changes,
		begun: 0,
		isFull: false,
		gate: Promise.resolve(),
		load: async () => {
			const records = new Map<string, StoredWrite>();
			for (const write of changes.flatMap(({ writes }) => writes)) {
				if (write.value === undefined) records.delete(write.key);
				else records.set(write.key, write);
			}
			return { records: [...records.values()], history: changes };
		},
		commit: async (change) => {
			store.begun++;
			await store.gate;
			if (store.isFull) throw new StoreError('full', 'writing: full');
			changes.push(change);
		},
		backUp: async () => {},
		close: async () => {},
	};
	return store;
}
