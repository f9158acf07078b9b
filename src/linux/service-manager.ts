// Tells the service manager that a daemon has started: the protocol of sd_notify(3), as systemd's Type=notify expects it.

import { connect, errno, socket } from '#libc';
import { SystemCallError } from './errno.ts';
import { closeFile, writeNext } from './files.ts';
import { note } from './standard-error.ts';

// include/linux/socket.h, include/linux/net.h
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;

/** Says that what is ordered after this service may start. Where nobody wants to know, nothing is done. */
export function tellReady(): void {
	const address = process.env['NOTIFY_SOCKET'] ?? '';
	if (address === '') return;
	try {
		send(address, 'READY=1');
	} catch (error) {
		// The manager will give up on this process some time; by this line, whoever looks for the reason finds it.
		note(error instanceof Error ? error.message : String(error));
	}
}

/** Sends a message to a socket: the path of one, or `@` and the name of an abstract one. Throws SystemCallError. */
export function send(address: string, message: string): void {
	const operation = `telling "${address}" ${message}`;
	const descriptor = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
	if (descriptor === -1) throw new SystemCallError(operation, errno());
	try {
		const name = socketAddress(address);
		if (connect(descriptor, name, name.length) === -1) throw new SystemCallError(operation, errno());
		writeNext(descriptor, new TextEncoder().encode(message));
	} finally {
		closeFile(descriptor);
	}
}

/** struct sockaddr_un, unix(7): a zero in place of the `@` makes a name abstract, and the length of all says where it ends. */
export function socketAddress(address: string): Uint8Array {
	const bytes = new TextEncoder().encode(address.replace(/^@/, '\0'));
	const name = new Uint8Array(2 + bytes.length);
	new DataView(name.buffer).setUint16(0, AF_UNIX, true);
	name.set(bytes, 2);
	return name;
}
