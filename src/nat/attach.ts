// Tells the kernel what an attachment needs, and takes it back: records first, then tables, both under one lock.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Attachment, describe } from '../cni/request.ts';
import { note } from '../linux/standard-error.ts';
import { isKernelError } from '../netlink/netlink-error.ts';
import { type Backend, withBackend } from './backend.ts';
import type { BackendChoice, BackendName } from './configuration.ts';
import { forgetConnections } from './connections.ts';
import { passForwardPolicy } from './forward-policy.ts';
import {
	attachmentRecordPath,
	networkRecordPath,
	readAttachmentRecord,
	readNetworkRecord,
	readRecord,
	readRecords,
	removeRecord,
	withLock,
	writeRecord,
} from './record-files.ts';
import {
	type AttachmentRecord,
	decodeAttachment,
	encodeRecord,
	LAYOUT,
	mergeNetwork,
	type NetworkRecord,
} from './records.ts';
import { restore } from './restore.ts';

/** What is wanted of the kernel for an attachment. */
export interface Wish {
	/** Where records are. */
	readonly directory: string;
	readonly backend: BackendChoice;
	readonly network: Omit<NetworkRecord, 'layout' | 'backend'>;
	/** Undefined when it has no more than its network. */
	readonly attachment: Omit<AttachmentRecord, 'backend'> | undefined;
	/** Whether the holder of something cannot be alive any more, so that it may be taken. */
	readonly isDead: (holder: AttachmentRecord) => boolean;
	/** Milliseconds of performance.now(). */
	readonly deadline: number;
}

/**
 * Does all that is wished for, or nothing. Gives the backend that does it. Throws CniError 108 for a host port that another
 * attachment holds, NetlinkError.
 */
export async function attachNat(wish: Wish): Promise<BackendName> {
	const { directory, deadline } = wish;
	const present = readNetworkRecord(directory, wish.network.network);
	// What was found out for the network need not be asked again.
	const choice = wish.backend === 'auto' ? (present?.backend ?? 'auto') : wish.backend;
	const used = await withBackend(choice, deadline, (backend) => {
		const network = mergeNetwork(present, { layout: LAYOUT, backend: backend.name, ...wish.network });
		const isKnown = network === present && backend.hasNetwork(network, wish.attachment === undefined);
		if (isKnown && wish.attachment === undefined) return backend.name;
		return withLock(directory, deadline, () => {
			if (!isKnown) learnNetwork(directory, backend, network);
			if (wish.attachment !== undefined) attach(wish, backend, { ...wish.attachment, backend: backend.name });
			return backend.name;
		});
	});
	await passForwardPolicy(wish.network, directory, deadline);
	return used;
}

/** What networks share depends on all of them, and when it is missing, so is perhaps everything: it is laid out anew. */
function learnNetwork(directory: string, backend: Backend, wanted: NetworkRecord): void {
	refuseMixture(directory, wanted);
	for (const other of readRecords(directory).networks) {
		// Whoever comes back to it has to see first whether that is still possible.
		if (other.backend !== backend.name) removeRecord(networkRecordPath(directory, other.network));
	}
	// Another ADD may have learned of another subnet meanwhile.
	const network = mergeNetwork(readNetworkRecord(directory, wanted.network), wanted);
	writeRecord(directory, networkRecordPath(directory, network.network), encodeRecord(network));
	restore(directory, backend);
}

/** A packet would meet the rules of both, and be translated by whichever comes first. */
function refuseMixture(directory: string, { network, backend }: NetworkRecord): void {
	const { attachments } = readRecords(directory);
	const other = attachments.find((each) => each.backend !== backend);
	if (other === undefined) return;
	throw new CniError(
		CniErrorCode.invalidConfiguration,
		`reading natBackend of network "${network}": "${backend}" cannot be had beside "${other.backend}", which container "${other.containerId}" of network "${other.network}" has; set it to the same for all networks`,
	);
}

function attach(wish: Wish, backend: Backend, record: AttachmentRecord): void {
	const { directory, isDead } = wish;
	const path = attachmentRecordPath(directory, record);
	const records = () => readRecords(directory);
	// Of an ADD that was killed.
	const remnant = readAttachmentRecord(directory, record);
	if (remnant !== undefined) backend.detach(remnant, records);
	for (let taken = backend.findTaken(record, records); taken !== undefined;) {
		if (taken.holder === undefined || !isDead(taken.holder)) throw portTaken(taken);
		backend.detach(taken.holder, records);
		removeRecord(attachmentRecordPath(directory, taken.holder));
		note(`freed port ${taken.port} of the host: its holder, ${describe(taken.holder)}, is dead`);
		taken = backend.findTaken(record, records);
	}
	writeRecord(directory, path, encodeRecord(record));
	try {
		try {
			backend.attach(record, records);
		} catch (error) {
			if (!isKernelError(error, 'ENOENT')) throw error;
			// Somebody has just removed the tables, which are whole again with this.
			restore(directory, backend);
		}
	} catch (error) {
		removeRecord(path);
		throw error;
	}
	forgetConnections(record, wish.deadline);
}

function portTaken({ port, holder }: { readonly port: string; readonly holder: Attachment | undefined }): CniError {
	const by =
		holder === undefined ? 'what nobody recorded, see "nft list table inet mesos_overlay"' : describe(holder);
	return new CniError(CniErrorCode.hostPortTaken, `mapping port ${port} of the host: it is held already, by ${by}`);
}

/**
 * Takes back all that was done for an attachment, and nothing else; needs to know no more than its name. Returns whether
 * there was anything. With `staysOpen`, the end of the process closes what was opened. Throws CniError or NetlinkError;
 * called again, it goes on.
 */
export async function detachNat(
	directory: string,
	attachment: Attachment,
	deadline: number,
	options: { readonly staysOpen?: boolean } = {},
): Promise<boolean> {
	const path = attachmentRecordPath(directory, attachment);
	const text = readRecord(path);
	if (text === undefined) return false;
	const found = decodeAttachment(text) ?? removeRemnant(directory, attachment, deadline);
	if (found === undefined) return true;
	const detach = (backend: Backend): boolean =>
		withLock(directory, deadline, () => {
			const record = readAttachmentRecord(directory, attachment);
			if (record !== undefined) {
				backend.detach(record, () => readRecords(directory));
				forgetConnections(record, deadline);
			}
			removeRecord(path);
			return true;
		});
	return withBackend(found.backend, deadline, detach, options);
}

/** Half a record is one of which the kernel knows nothing; or it is just being written, and whole behind the lock. */
function removeRemnant(directory: string, attachment: Attachment, deadline: number): AttachmentRecord | undefined {
	return withLock(directory, deadline, () => {
		const record = readAttachmentRecord(directory, attachment);
		if (record === undefined) removeRecord(attachmentRecordPath(directory, attachment));
		return record;
	});
}
