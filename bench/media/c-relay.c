/*
 * The least a relay in user space can do: a connected socket per leg, epoll, recvmmsg from the one and sendmmsg to the
 * other, one thread, no look at the packets. What any relay on sockets is measured against.
 *
 *   c-relay SUBJECT CALLER CALLEE PEERPORT OWNPORT
 *
 * A line "open N" on standard input opens calls until there are N and prints all ports as JSON; its end ends the relay.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 16
#define PACKET 2048
#define EVENTS 256
#define MAX_LEGS 60000
#define INPUT MAX_LEGS

static int sockets[MAX_LEGS];
static int leg_count;
static uint8_t packets[BATCH][PACKET];

static void die(const char *what) {
  perror(what);
  exit(2);
}

static struct sockaddr_in at(const char *address, int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, address, &a.sin_addr) != 1) die(address);
  return a;
}

static void open_leg(int poll, const char *own, int own_port, struct sockaddr_in peer) {
  int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in here = at(own, own_port);
  if (s < 0 || bind(s, (struct sockaddr *)&here, sizeof here)) die("bind");
  if (connect(s, (struct sockaddr *)&peer, sizeof peer)) die("connect");
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = leg_count};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, s, &event)) die("epoll");
  sockets[leg_count++] = s;
}

static void pass(int leg) {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){packets[i], PACKET};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int count = recvmmsg(sockets[leg], messages, BATCH, MSG_DONTWAIT, NULL);
  if (count <= 0) return;
  for (int i = 0; i < count; i++) parts[i].iov_len = messages[i].msg_len;
  sendmmsg(sockets[leg ^ 1], messages, count, MSG_DONTWAIT);
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  struct rlimit files = {200000, 200000};
  setrlimit(RLIMIT_NOFILE, &files);
  int peer_port = atoi(argv[4]), own_port = atoi(argv[5]);
  int poll = epoll_create1(0);
  struct epoll_event input = {.events = EPOLLIN, .data.u32 = INPUT}, events[EVENTS];
  if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, 0, &input)) die("epoll");
  for (;;) {
    int count = epoll_wait(poll, events, EVENTS, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      if (events[i].data.u32 != INPUT) {
        pass(events[i].data.u32);
        continue;
      }
      char line[64] = {0};
      int calls = 0;
      if (read(0, line, sizeof line - 1) <= 0) return 0;
      if (sscanf(line, "open %d", &calls) != 1 || calls > MAX_LEGS / 2) return 2;
      while (leg_count < 2 * calls) {
        int port = peer_port + leg_count;
        open_leg(poll, argv[1], own_port + 2 * leg_count, at(argv[2], port));
        open_leg(poll, argv[1], own_port + 2 * leg_count, at(argv[3], port));
      }
      printf("{\"type\":\"opened\",\"ports\":[");
      for (int leg = 0; leg < leg_count; leg += 2)
        printf("%s[%d,%d]", leg ? "," : "", own_port + 2 * leg, own_port + 2 * leg + 2);
      printf("]}\n");
      fflush(stdout);
    }
  }
}
