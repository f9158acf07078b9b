// Chooses the address of a lease.

import { type Address, formatAddress, parseAddress } from './address.ts';
import { inRange, type Range, sizeOfRange } from './agent-subnet.ts';
import { openLast } from './last.ts';
import { describe, LeaseError, storeError, systemCode } from './lease-error.ts';
import { type LeaseFile, peek, writeAddress } from './lease-file.ts';
import { diedBefore } from './liveness.ts';
import { makeRoom, patience } from './make-room.ts';
import { reclaimAddress } from './reclaim.ts';
import { listNames } from './release.ts';
import { formatSubnet } from './subnet.ts';
import { addressPath, type Store } from './store.ts';

/** So many addresses are tried blindly before the directory is read, which costs more the more leases there are. */
const TRIES_BEFORE_LISTING = 64;

/** What an allocation goes by. */
export interface Terms {
	/** This boot: leases of another are nobody's. */
	readonly bootId: string;
	/** Milliseconds of performance.now() until which other processes are waited for. */
	readonly deadline: number;
	/** Milliseconds since the epoch. */
	readonly now: number;
}

/** Gives a lease the address, if it is free. Throws LeaseError. */
function take(store: Store, file: LeaseFile, address: Address): boolean {
	const text = formatAddress(address);
	writeAddress(store, file, text);
	try {
		store.system.linkFile(file.path, addressPath(store, text));
		return true;
	} catch (error) {
		if (systemCode(error) === 'EEXIST') return false;
		throw storeError('leasing', addressPath(store, text), error);
	}
}

/**
 * Gives a lease the address that was asked for. Throws LeaseError `addressTaken`, naming the holder, unless that one is
 * of an earlier boot.
 */
export function takeRequested(store: Store, file: LeaseFile, address: Address, terms: Terms): Address {
	if (take(store, file, address)) return address;
	reclaimAddress(store, address, diedBefore(terms.bootId), patience(terms));
	if (take(store, file, address)) return address;
	const path = addressPath(store, formatAddress(address));
	const holder = peek(store, path)?.lease;
	const by = holder === undefined ? `see "${path}"` : `by ${describe(holder)}`;
	throw new LeaseError('addressTaken', `leasing "${formatAddress(address)}": it is held already, ${by}`);
}

/**
 * Gives a lease the next free address of a range, round robin after the one given last. When there is none, those of
 * dead holders are freed. Throws LeaseError `noAddressLeft`.
 */
export function takeNext(store: Store, file: LeaseFile, index: number, range: Range, terms: Terms): Address {
	const last = openLast(store, index);
	try {
		let address = takeAny(store, file, range, last.address);
		if (address === undefined && makeRoom(store, last, range, terms)) {
			address = takeAny(store, file, range, last.address);
		}
		if (address === undefined) throw noAddressLeft(store, range);
		last.replaceAddress(address);
		return address;
	} finally {
		last.close();
	}
}

function takeAny(store: Store, file: LeaseFile, range: Range, last: Address | undefined): Address | undefined {
	const { family } = range.subnet;
	const size = sizeOfRange(range);
	let value = last !== undefined && inRange(range, last) ? last.value : range.last;
	let taken: ReadonlySet<string> | undefined;
	for (let tried = 0n; tried < size; tried++) {
		value = value === range.last ? range.first : value + 1n;
		if (tried === BigInt(TRIES_BEFORE_LISTING)) taken = new Set(listNames(store, store.addresses));
		const address = { family, value };
		if (taken?.has(formatAddress(address)) !== true && take(store, file, address)) return address;
	}
	return undefined;
}

/** How many addresses of a range are leased. Throws LeaseError. */
export function countLeased(store: Store, range: Range): bigint {
	let count = 0n;
	for (const name of listNames(store, store.addresses)) {
		const address = parseAddress(name);
		if (address !== undefined && inRange(range, address)) count++;
	}
	return count;
}

/** The error of a range without a free address. */
export function noAddressLeft(store: Store, range: Range): LeaseError {
	return new LeaseError(
		'noAddressLeft',
		`leasing an address of "${formatSubnet(range.subnet)}" in network "${store.network}": all ${sizeOfRange(range)} are held, ` +
			`"${store.addresses}" shows by whom`,
	);
}
