// One end of a transfer, run inside a namespace: `serve|send tcp|udp <address> <bytes>`; prints the count of bytes.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const PORT = 7777;
const RETRY_MS = 50;
const [role = '', protocol = '', address = '', size = '0'] = process.argv.slice(2);
const datagrams = () => createSocket(address.includes(':') ? 'udp6' : 'udp4');

function finish(count: unknown): void {
	console.log(String(count));
	process.exit();
}

function serveStream(): void {
	const server = createServer({ allowHalfOpen: true }, (socket) => {
		let count = 0;
		socket.on('data', (chunk) => (count += chunk.length));
		socket.on('end', () => socket.end(`${count}`));
		socket.on('close', () => finish(count));
	});
	server.listen(PORT, address);
}

function serveDatagram(): void {
	const socket = datagrams();
	socket.on('message', ({ length }, peer) => socket.send(`${length}`, peer.port, peer.address, () => finish(length)));
	socket.bind(PORT, address);
}

function sendStream(): void {
	const socket = connect({ port: PORT, host: address, allowHalfOpen: true }, () =>
		socket.end(Buffer.alloc(Number(size))),
	);
	socket.on('data', finish);
	// the server may not be listening yet
	socket.on('error', () => setTimeout(sendStream, RETRY_MS));
}

function sendDatagram(): void {
	const socket = datagrams();
	socket.on('message', finish);
	socket.on('error', () => {});
	const send = () => socket.send(Buffer.alloc(Number(size)), PORT, address);
	send();
	setInterval(send, RETRY_MS);
}

const work = { serve: { tcp: serveStream, udp: serveDatagram }, send: { tcp: sendStream, udp: sendDatagram } };
work[role as keyof typeof work][protocol as 'tcp' | 'udp']();
setTimeout(() => process.exit(1), 5000);
