// SCTP by raw sockets, since few kernels have the protocol itself. Run inside a namespace: `answer <port>` answers an INIT to
// that port by an INIT ACK; `init <address> <port>` sends an INIT until it is answered, and prints the answer's source port.
import { dlopen } from 'node:ffi';
import { isIPv6 } from 'node:net';
import { parseIp } from '../../src/ip/address.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const IPPROTO_SCTP = 132;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
/** As IPv4's raw sockets give them; those of IPv6 give none. */
const IPV4_HEADER = 20;

const INIT = 1;
const INIT_ACK = 2;
const OWN_PORT = 5000;
const TRIES = 20;

const { functions: libc } = dlopen('libc.so.6', {
	socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
	setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
	sendto: { arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'u32'], return: 'i32' },
	recvfrom: { arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'buffer'], return: 'i32' },
});

/** RFC 9260 appendix A: the checksum of the packet with zeros in its place, least significant byte first. */
function crc32c(bytes: Uint8Array): number {
	let crc = ~0;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc >>> 0;
}

/** A packet with one chunk: initiate tag, window, one stream each way, initial TSN. RFC 9260 §3.3.2, §3.3.3 */
function packet(type: number, from: number, to: number, tag: number): Buffer {
	const bytes = Buffer.alloc(12 + 20);
	bytes.writeUInt16BE(from, 0);
	bytes.writeUInt16BE(to, 2);
	bytes.writeUInt32BE(tag, 4);
	bytes.writeUInt8(type, 12);
	bytes.writeUInt16BE(20, 14);
	for (const [offset, value] of [
		[16, 7],
		[20, 65_536],
		[24, 0x10001],
		[28, 1],
	] as const)
		bytes.writeUInt32BE(value, offset);
	bytes.writeUInt32LE(crc32c(bytes), 8);
	return bytes;
}

interface Raw {
	send(bytes: Buffer, to: Buffer): void;
	/** The next packet and its sender; undefined when none comes for a tenth of a second. */
	receive(): { readonly bytes: Buffer; readonly from: Buffer } | undefined;
}

function openRaw(family: 4 | 6): Raw {
	const socket = libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW, IPPROTO_SCTP);
	const limit = Buffer.alloc(16);
	limit.writeBigInt64LE(100_000n, 8);
	libc.setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, limit, limit.length);
	return {
		send: (bytes, to) => void libc.sendto(socket, bytes, BigInt(bytes.length), 0, to, to.length),
		receive() {
			const buffer = Buffer.alloc(2048);
			const from = Buffer.alloc(family === 4 ? 16 : 28);
			const length = Buffer.alloc(4);
			length.writeUInt32LE(from.length);
			const received = libc.recvfrom(socket, buffer, BigInt(buffer.length), 0, from, length);
			return received < 0
				? undefined
				: { bytes: buffer.subarray(family === 4 ? IPV4_HEADER : 0, received), from };
		},
	};
}

/** struct sockaddr_in, struct sockaddr_in6; raw sockets want no port. */
function socketAddress(address: string): Buffer {
	const ip = parseIp(address) ?? new Uint8Array(4);
	const bytes = Buffer.alloc(ip.length === 4 ? 16 : 28);
	bytes.writeUInt16LE(ip.length === 4 ? AF_INET : AF_INET6, 0);
	bytes.set(ip, ip.length === 4 ? 4 : 8);
	return bytes;
}

function answer(port: number): void {
	const raws = [openRaw(4), openRaw(6)];
	console.log('ready');
	for (;;) {
		for (const raw of raws) {
			const { bytes, from } = raw.receive() ?? {};
			if (bytes === undefined || from === undefined) continue;
			if (bytes.readUInt16BE(2) !== port || bytes.readUInt8(12) !== INIT) continue;
			from.writeUInt16BE(0, 2);
			raw.send(packet(INIT_ACK, port, bytes.readUInt16BE(0), 7), from);
		}
	}
}

function initiate(address: string, port: number): void {
	const raw = openRaw(isIPv6(address) ? 6 : 4);
	for (let attempt = 0; attempt < TRIES; attempt++) {
		raw.send(packet(INIT, OWN_PORT, port, 0), socketAddress(address));
		const { bytes } = raw.receive() ?? {};
		if (bytes?.readUInt8(12) !== INIT_ACK) continue;
		console.log(bytes.readUInt16BE(0));
		return;
	}
	console.log('no answer');
}

const [role, ...words] = process.argv.slice(2);
if (role === 'answer') answer(Number(words[0]));
else initiate(words[0] ?? '', Number(words[1]));
