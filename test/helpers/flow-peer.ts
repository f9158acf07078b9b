// One end of a flow, run inside a namespace: `serve|send tcp|udp <address> <port> <milliseconds> <bits a second>`. The server
// prints how many bits a second came in; not counted is the beginning, in which a bucket of tokens empties and TCP finds its pace.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const RETRY_MS = 20;
const DATAGRAM = 1200;
const BEGINNING_MS = 500;

const [role = '', protocol = '', address = '', ...numbers] = process.argv.slice(2);
const [port = 0, milliseconds = 0, rate = 0] = numbers.map(Number);
const datagrams = () => createSocket(address.includes(':') ? 'udp6' : 'udp4');
let counted: number | undefined;

function count(length: number): void {
	if (counted !== undefined) return void (counted += length);
	counted = 0;
	setTimeout(() => {
		counted = 0;
		const began = performance.now();
		setTimeout(() => {
			console.log(String(Math.round(((counted ?? 0) * 8000) / (performance.now() - began))));
			process.exit();
		}, milliseconds - BEGINNING_MS);
	}, BEGINNING_MS);
}

function serveStream(): void {
	createServer((socket) => socket.on('data', ({ length }) => count(length))).listen(port, address);
}

function serveDatagrams(): void {
	datagrams()
		.on('message', ({ length }) => count(length))
		.bind(port, address);
}

/** As fast as it goes. */
function sendStream(): void {
	const socket = connect({ port, host: address }, fill);
	function fill(): void {
		while (socket.write(Buffer.alloc(65_536)));
		socket.once('drain', fill);
	}
	// the server may not be listening yet
	socket.on('error', () => setTimeout(sendStream, RETRY_MS));
}

function sendDatagrams(): void {
	const socket = datagrams().on('error', () => {});
	const began = performance.now();
	let sent = 0;
	setInterval(() => {
		const due = ((performance.now() - began) * rate) / 8000;
		for (; sent < due; sent += DATAGRAM) socket.send(Buffer.alloc(DATAGRAM), port, address);
	}, 1);
}

const work = {
	serve: { tcp: serveStream, udp: serveDatagrams },
	send: { tcp: sendStream, udp: sendDatagrams },
};
work[role as keyof typeof work][protocol as 'tcp' | 'udp']();
setTimeout(() => process.exit(1), milliseconds + 5000);
