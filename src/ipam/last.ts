// What one call leaves for the next, in the file `last.<index>`: hints, so that nothing which goes wrong with it matters.

import { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } from '../linux/files.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { ADDRESS_REGION } from './lease.ts';
import type { Store } from './store.ts';

const FLAGS = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/** Bytes after the address region; room for a boot id, a subnet and a time. */
const SEARCH_REGION = 128;

export interface Last {
	/** The last address given, if it is known, so that a freed one is not given again at once. */
	readonly address: Address | undefined;
	/** What is known of the last search for dead holders, see make-room.ts; empty when nothing is. */
	readonly search: string;
	replaceAddress(address: Address): void;
	replaceSearch(search: string): void;
	close(): void;
}

/** Opens what calls have left about address number `index` of attachments in a network. */
export function openLast({ directory, system }: Store, index: number): Last {
	let descriptor = -1;
	let text = '';
	try {
		descriptor = system.openFile(`${directory}/last.${index}`, FLAGS, 0o600);
		const bytes = new Uint8Array(ADDRESS_REGION + SEARCH_REGION);
		text = new TextDecoder().decode(bytes.subarray(0, system.readAt(descriptor, bytes, 0)));
	} catch {
		// Begin at the start.
	}
	const replace = (region: string, position: number): void => {
		try {
			system.writeAt(descriptor, new TextEncoder().encode(region), position);
		} catch {
			// Begin at the start the next time.
		}
	};
	return {
		address: parseAddress(text.slice(0, ADDRESS_REGION).trim()),
		search: text.slice(ADDRESS_REGION).trim(),
		replaceAddress: (address) => replace(formatAddress(address).padEnd(ADDRESS_REGION), 0),
		replaceSearch: (search) => replace(search.padEnd(SEARCH_REGION), ADDRESS_REGION),
		close() {
			if (descriptor !== -1) system.closeFile(descriptor);
		},
	};
}
