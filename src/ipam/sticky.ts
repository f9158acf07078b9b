// Remembers which address a task had, so that it gets the same one again: hints, so that nothing which goes wrong with
// them matters.
//
// The file `sticky` is a table of fixed size, which only the number of its records bounds: the key of a task chooses a
// bucket, in which the records stand in the order of their last use. One that finds no room any more is forgotten.

import { type Fields, readFields, readString, refuse } from '../cni/fields.ts';
import { labelOf } from '../cni/labels.ts';
import type { Attachment, Request } from '../cni/request.ts';
import { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } from '../linux/files.ts';
import { hash32, hash64 } from '../linux/hash.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import type { Store } from './store.ts';

const FLAGS = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/** Bytes: a key, a space, an address of 39 characters at most, spaces, a newline. */
const RECORD = 64;
const RECORDS = 16;
const BUCKET = RECORD * RECORDS;
const BUCKETS = 256;

const CONTAINER_ID = 'container-id';

/** What tells tasks apart: the container id, or a label. */
export type Sticky = typeof CONTAINER_ID | { readonly label: string };

/** Reads `ipam.sticky`. Undefined: nothing is remembered. Throws CniError (invalid configuration). */
export function readSticky(fields: Fields): Sticky | undefined {
	const value = fields.entries.get('sticky') ?? '';
	if (value === '') return undefined;
	if (value === CONTAINER_ID) return value;
	if (typeof value !== 'object') return refuse(fields, 'sticky', `"${CONTAINER_ID}" or {"label": "…"}`, value);
	const sticky = readFields(fields, 'sticky');
	const label = sticky && readString(sticky, 'label');
	if (label !== undefined) return { label };
	return sticky && refuse(sticky, 'label', 'the name of a label', label);
}

/** The task that a call is for. Undefined: it says none, as when it has not the label. */
export function taskOf(sticky: Sticky | undefined, { containerId, configuration }: Request): string | undefined {
	if (sticky === undefined || sticky === CONTAINER_ID) return sticky && containerId;
	return labelOf(configuration, sticky.label);
}

/** What stands for address number `index` of a task; another interface has another address. */
export function taskKey(task: string, { ifname }: Pick<Attachment, 'ifname'>, index: number): string {
	return hash64(`${index} ${ifname} ${task}`);
}

export interface Memory {
	/** The address that the task had last, if it is known. */
	readonly address: Address | undefined;
	remember(address: Address): void;
	close(): void;
}

/** Opens what is known in a network about the task with this {@link taskKey}. */
export function openMemory({ directory, system }: Store, key: string): Memory {
	const position = (hash32(key) % BUCKETS) * BUCKET;
	let descriptor = -1;
	const readBucket = (): string[] => {
		const bytes = Buffer.alloc(BUCKET);
		const length = system.readAt(descriptor, bytes, position);
		return decodeBucket(bytes.toString('latin1', 0, length));
	};
	let records: readonly string[] = [];
	try {
		descriptor = system.openFile(`${directory}/sticky`, FLAGS, 0o600);
		records = readBucket();
	} catch {
		// Nothing is known.
	}
	const own = records.find((record) => record.startsWith(key));
	return {
		address: own === undefined ? undefined : parseAddress(own.slice(key.length + 1)),
		remember(address) {
			const record = `${key} ${formatAddress(address)}`;
			if (descriptor === -1 || records[0] === record) return;
			try {
				// Others may have written meanwhile.
				const others = readBucket().filter((each) => !each.startsWith(key));
				system.writeAt(descriptor, encodeBucket([record, ...others]), position);
			} catch {
				// Then it is forgotten.
			}
		},
		close() {
			if (descriptor !== -1) system.closeFile(descriptor);
		},
	};
}

/** What is no record is passed over. */
function decodeBucket(text: string): string[] {
	return Array.from(text.matchAll(/^([0-9a-v]{13} [0-9a-f:.]+) *\n/gm), ([, record = '']) => record);
}

function encodeBucket(records: readonly string[]): Uint8Array {
	const lines = records.slice(0, RECORDS).map((record) => `${record.padEnd(RECORD - 1)}\n`);
	return new TextEncoder().encode(lines.join('').padEnd(BUCKET, '\0'));
}
