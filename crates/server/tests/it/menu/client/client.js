// What the document's React client does, and a login before: node client.js URL EMAIL PASSWORD DISH
'use strict';
const WebSocket = require('ws');
const [url, email, password, dishName] = process.argv.slice(2);
const json = { 'content-type': 'application/json' };

async function api(path, options) {
  const response = await fetch(url + path, options);
  const body = await response.json();
  if (!response.ok) throw new Error(`${path}: ${body.status} ${body.error}`);
  return body;
}

async function main() {
  const login = { method: 'POST', headers: json, body: JSON.stringify({ email, password }) };
  const { access_token: token } = await api('/api/auth/login', login);
  const headers = { authorization: `Bearer ${token}` };
  const dishes = await api('/api/dishes', { headers });
  const dish = dishes.find((dish) => dish.dishName === dishName);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const changed = new Promise((resolve, reject) => {
    socket.on('close', () => reject(new Error('the socket was closed')));
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.type === 'dishStatusChanged') resolve(message.data);
    });
  });
  const toggled = await api(`/api/dishes/${dish.dishId}/toggle`, { method: 'PATCH', headers });
  console.log(JSON.stringify({ dishes, toggled, changed: await changed }));
  socket.removeAllListeners('close').close();
}

main().catch((error) => { console.error(error); process.exit(1); });
