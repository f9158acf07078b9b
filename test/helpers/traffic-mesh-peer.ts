// One participant of an exchange among all, run inside a namespace; prints what did not come about, and `end`.
import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const PORT = 7779;
const RETRY_MS = 200;
const LONGEST_MS = 60_000;
const STREAM_BYTES = 20_000;

interface Task {
	readonly addresses: readonly string[];
	readonly targets: readonly string[];
	readonly sources: readonly string[];
	readonly mtu: number;
}
const { addresses, targets, sources, mtu } = JSON.parse(process.argv[2] ?? '{}') as Task;

/** What is still to come: `tcp to 9.0.1.2`. */
const open = new Set(
	['tcp', 'udp'].flatMap((protocol) => [
		...targets.map((target) => `${protocol} to ${target}`),
		...sources.map((source) => `${protocol} from ${source}`),
	]),
);

function done(what: string): void {
	open.delete(what);
	if (open.size === 0) finish();
}

function finish(): void {
	for (const what of open) console.log(what);
	console.log('end');
	// The last answers to others may still be on their way.
	setTimeout(() => process.exit(), RETRY_MS * 2);
}

const withoutZone = (address = ''): string => address.replace(/%.*/u, '');
/** The bytes behind the headers of IP and UDP. */
const datagramSize = (address: string): number => mtu - (address.includes(':') ? 40 : 20) - 8;

function serve(address: string): void {
	createServer({ allowHalfOpen: true }, (socket) => {
		let count = 0;
		socket.on('data', (chunk) => (count += chunk.length));
		socket.on('end', () => {
			done(`tcp from ${withoutZone(socket.remoteAddress)}`);
			socket.end(`${count}`);
		});
		socket.on('error', () => {});
	}).listen(PORT, address);

	const socket = datagrams(address);
	socket.on('message', ({ length }, { port, address: source }) => {
		done(`udp from ${withoutZone(source)}`);
		socket.send(`${length}`, port, source);
	});
	socket.bind(PORT, address);
}

function sendStream(target: string): void {
	const socket = connect({ port: PORT, host: target, allowHalfOpen: true }, () =>
		socket.end(Buffer.alloc(STREAM_BYTES)),
	);
	socket.on('data', (answer) => {
		if (answer.toString() === `${STREAM_BYTES}`) done(`tcp to ${target}`);
	});
	// It may not be listening yet.
	socket.on('error', () => setTimeout(sendStream, RETRY_MS, target));
}

function sendDatagram(target: string): void {
	const socket = datagrams(target);
	const bytes = Buffer.alloc(datagramSize(target));
	const send = () => socket.send(bytes, PORT, target);
	const again = setInterval(send, RETRY_MS);
	socket.on('message', (answer) => {
		if (answer.toString() !== `${bytes.length}`) return;
		clearInterval(again);
		done(`udp to ${target}`);
		socket.close();
	});
	socket.on('error', () => {});
	send();
}

function datagrams(address: string): Socket {
	return createSocket(address.includes(':') ? 'udp6' : 'udp4');
}

for (const address of addresses) serve(address);
for (const target of targets) {
	sendStream(target);
	sendDatagram(target);
}
setTimeout(finish, LONGEST_MS);
