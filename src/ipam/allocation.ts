// Chooses the address of a lease.

import { type Address, formatAddress, parseAddress } from './address.ts';
import { inTurn } from './candidates.ts';
import { openLast } from './last.ts';
import { LeaseError, storeError } from './lease-error.ts';
import { describe } from '../cni/request.ts';
import { systemCode } from '../linux/errno.ts';
import { type LeaseFile, peek, writeAddress } from './lease-file.ts';
import type { Lease } from './lease.ts';
import { diedBefore, type Obituary } from './liveness.ts';
import { makeRoom, patience } from './make-room.ts';
import { isReleased, type Waiting, watchQuarantine } from './quarantine.ts';
import { formatSet, inSet, type RangeSet, sizeOfSet } from './range-set.ts';
import { reclaimAddress } from './reclaim.ts';
import { listNames } from './release.ts';
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

/** The same, when whoever has the address may lose it. What cannot be had from him at once stays with him. */
function takeFrom(store: Store, file: LeaseFile, address: Address, mayLose: Obituary): boolean {
	try {
		return reclaimAddress(store, address, mayLose, 0) && take(store, file, address);
	} catch (error) {
		if (systemCode(error) !== undefined) return false;
		throw error;
	}
}

/**
 * Gives a lease the address that was asked for, also out of quarantine. Throws LeaseError `addressTaken`, naming the
 * holder, unless that one is of an earlier boot.
 */
export function takeRequested(store: Store, file: LeaseFile, address: Address, terms: Terms): Address {
	if (take(store, file, address)) return address;
	const died = diedBefore(terms.bootId);
	const mayLose: Obituary = (lease) => (isReleased(lease) ? 'has left it' : died(lease));
	reclaimAddress(store, address, mayLose, patience(terms));
	if (take(store, file, address)) return address;
	const path = addressPath(store, formatAddress(address));
	const holder = peek(store, path)?.lease;
	const by = holder === undefined ? `see "${path}"` : `by ${describe(holder)}`;
	throw new LeaseError('addressTaken', `leasing "${formatAddress(address)}": it is held already, ${by}`);
}

/** Gives a lease the address that its task had last, unless somebody else has it. Says whether. Throws LeaseError. */
export function takeAgain(store: Store, file: LeaseFile, { bootId, task }: Lease, address: Address): boolean {
	if (take(store, file, address)) return true;
	const [died, { ended }] = [diedBefore(bootId), watchQuarantine(store)];
	const isOwn = (lease: Lease): boolean => isReleased(lease) && lease.task === task;
	return takeFrom(store, file, address, (lease) => (isOwn(lease) ? 'comes back' : (ended(lease) ?? died(lease))));
}

/**
 * Gives a lease the next free address of a range set, round robin after the one given last. When there is none, those of
 * dead holders are freed. Throws LeaseError `noAddressLeft`.
 */
export function takeNext(store: Store, file: LeaseFile, lease: Lease, set: RangeSet, terms: Terms): Address {
	const last = openLast(store, lease.index);
	const watch = watchQuarantine(store);
	try {
		const any = (): Address | undefined => takeAny(store, file, set, last.address, lease.quarantine && watch.ended);
		let address = any();
		if (address === undefined) {
			const { looked, waiting } = makeRoom(store, last, set, terms, watch);
			if (looked) address = any();
			if (address === undefined) throw noAddressLeft(store, set, waiting);
		}
		last.replaceAddress(address);
		return address;
	} finally {
		last.close();
	}
}

/** `ended`, when there may be a quarantine: addresses are taken whose quarantine it says to be over. */
function takeAny(
	store: Store,
	file: LeaseFile,
	set: RangeSet,
	last: Address | undefined,
	ended: Obituary | undefined,
): Address | undefined {
	const { family } = set;
	let taken: ReadonlySet<string> | undefined;
	const mayBeGiven = (address: Address): boolean => taken?.has(formatAddress(address)) !== true;
	let tried = 0;
	for (const span of inTurn(set.spans, last?.family === family ? last.value : undefined)) {
		for (let value = span.first; value <= span.last; value++) {
			if (tried++ === TRIES_BEFORE_LISTING) taken = new Set(listNames(store, store.addresses));
			const address = { family, value };
			if (!mayBeGiven(address)) continue;
			if (take(store, file, address) || (ended && takeFrom(store, file, address, ended))) return address;
		}
	}
	return undefined;
}

/** How many addresses of a range set are leased. Throws LeaseError. */
export function countLeased(store: Store, set: RangeSet): bigint {
	let count = 0n;
	for (const name of listNames(store, store.addresses)) {
		const address = parseAddress(name);
		if (address !== undefined && inSet(set, address)) count++;
	}
	return count;
}

/** The error of a range set without a free address. */
export function noAddressLeft(store: Store, set: RangeSet, { count, seconds }: Waiting): LeaseError {
	const waiting = count === 0 ? '' : `${count} of them in quarantine, the first for ${Math.ceil(seconds)} s, `;
	return new LeaseError(
		'noAddressLeft',
		`leasing an address of "${formatSet(set)}" in network "${store.network}": all ${sizeOfSet(set)} are held, ` +
			`${waiting}"${store.addresses}" shows by whom`,
	);
}
