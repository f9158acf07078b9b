// Compares what we send with what ip, bridge and nft send for the same, attribute by attribute.
import type { ExecutionContext } from 'ava';
import { type Connection, connect } from '../../src/netlink/connection.ts';
import { decodeMessages, type Message } from '../../src/netlink/message.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { agreeable, fakeKernel } from '../helpers/fake-kernel.ts';

/**
 * What attributes hold, by their path of types such as `18/2/1`: attributes behind so many bytes, a list whose order
 * counts (its members have the paths `…[0]` and so on, or all of them `…[]`), or a text that may or may not end with a zero. All others are bytes.
 */
export type Shape = Readonly<Record<string, number | 'list' | 'text'>>;

export interface Captured {
	/** The command that was traced: `strace -e trace=sendmsg -e write=all`. */
	readonly command: string;
	/** The messages that it sent, sequence numbers zeroed. */
	readonly hex: string;
	readonly ask: (connection: Connection) => unknown;
	/** What the tool says and we do not; and the other way round. */
	readonly theirs?: readonly string[];
	readonly ours?: readonly string[];
}

/** Asks, and compares the lines of all messages; attributes of one level may stand in any order, but not those of lists. */
export function sameAsCaptured(t: ExecutionContext, captured: Captured, fixed: number, shape: Shape): void {
	const theirs = decodeMessages(Buffer.from(captured.hex, 'hex')).map((message) => linesOf(message, fixed, shape));
	const ours = requestsOf(captured.ask).map((message) => linesOf(message, fixed, shape));
	t.is(ours.length, theirs.length, 'messages');
	const only = (some: string[][], others: string[][]) =>
		some.flatMap((lines, at) => lines.filter((line) => !others[at]?.includes(line)));
	t.deepEqual(only(ours, theirs), [...(captured.ours ?? [])]);
	t.deepEqual(only(theirs, ours), [...(captured.theirs ?? [])]);
}

/** What is asked of a kernel that agrees to everything and has nothing. */
export function requestsOf(ask: (connection: Connection) => unknown): readonly Message[] {
	const kernel = fakeKernel(agreeable);
	try {
		ask(connect(kernel));
	} catch (error) {
		if (!(error instanceof NetlinkError)) throw error;
	}
	return kernel.requests;
}

function linesOf(message: Message, fixed: number, shape: Shape): string[] {
	const part = message.payload.subarray(0, fixed).toString('hex');
	const head = [`type ${hex16(message.type)}`, `flags ${hex16(message.flags)}`, `fixed ${part}`];
	return [...head, ...attributeLines(message.payload.subarray(fixed), '', shape)];
}

function attributeLines(buffer: Buffer, prefix: string, shape: Shape, inList = false): string[] {
	const lines: string[] = [];
	for (let offset = 0, at = 0; offset < buffer.length; at++) {
		const length = buffer.readUInt16LE(offset);
		if (length < 4) throw new Error(`what is in ${prefix} are no attributes`);
		const type = buffer.readUInt16LE(offset + 2) & 0x3fff;
		const path = inList ? `${prefix}[${at}]` : `${prefix}${prefix === '' ? '' : '/'}${type}`;
		const value = buffer.subarray(offset + 4, offset + length);
		const kind = shape[path] ?? shape[path.replaceAll(/\[\d+\]/g, '[]')];
		if (kind === 'list') lines.push(...attributeLines(value, path, shape, true));
		else if (kind === 'text') lines.push(`${path} "${value.toString().replace(/\0$/, '')}"`);
		else if (kind === undefined) lines.push(`${path} ${value.toString('hex')}`);
		else {
			if (kind > 0) lines.push(`${path} fixed ${value.subarray(0, kind).toString('hex')}`);
			lines.push(...attributeLines(value.subarray(kind), path, shape));
		}
		offset += (length + 3) & ~3;
	}
	return lines;
}

function hex16(value: number): string {
	return value.toString(16).padStart(4, '0');
}
