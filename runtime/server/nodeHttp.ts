/**
 * Node's HTTP and TLS, without what an import of them brings along: an import reads every export, of node:http also
 * `WebSocket`, which loads undici (30 ms, 3 MB), and of node:tls the root certificates, which are parsed one by one.
 */
export const http = process.getBuiltinModule('node:http');
export const https = process.getBuiltinModule('node:https');
export const tls = process.getBuiltinModule('node:tls');
