// Remembers the last address given, so that a freed one is not given again at once.

import { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } from '../linux/files.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { ADDRESS_REGION } from './lease.ts';
import type { Store } from './store.ts';

const FLAGS = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/** The last address given, if it is known. It only says where to begin, so that nothing which goes wrong with it matters. */
export interface LastAddress {
	readonly address: Address | undefined;
	/** Puts another in its place. */
	replace(address: Address): void;
	close(): void;
}

/** Opens the note of the last address number `index` in a network, `last.<index>`. */
export function openLastAddress({ directory, system }: Store, index: number): LastAddress {
	let descriptor = -1;
	let address: Address | undefined;
	try {
		descriptor = system.openFile(`${directory}/last.${index}`, FLAGS, 0o600);
		const bytes = Buffer.alloc(ADDRESS_REGION);
		address = parseAddress(bytes.toString('latin1', 0, system.readAt(descriptor, bytes, 0)).trim());
	} catch {
		// Begin at the start.
	}
	return {
		address,
		replace(next) {
			try {
				const bytes = new TextEncoder().encode(formatAddress(next).padEnd(ADDRESS_REGION));
				system.writeAt(descriptor, bytes, 0);
			} catch {
				// Begin at the start the next time.
			}
		},
		close() {
			if (descriptor !== -1) system.closeFile(descriptor);
		},
	};
}
