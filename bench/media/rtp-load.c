/*
 * RTP load: both peers of N calls in one thread, one packet of G.711 every 20 ms from each.
 *
 * Frames are written to and read from the network device itself (packet sockets), past this side's UDP, so that the
 * load costs a fraction of what it measures. Every payload carries its leg, a number and when it was sent; when it came
 * back is the kernel's receive time stamp, so that a reader that is late does not count as delay. Packets are spread
 * evenly over the 20 ms.
 *
 *   caller of call i  = CALLER:PEERPORT+2i --+             +-- SUBJECT:a(i)
 *                                            +-- device ---+
 *   callee of call i  = CALLEE:PEERPORT+2i --+             +-- SUBJECT:b(i)
 *
 * A packet of the caller to a(i) is expected at the callee, one of the callee to b(i) at the caller. With -D the
 * frames are sent from a device of another namespace straight to the expected end: the floor.
 *
 * Prints one line of JSON. Times inside are CLOCK_REALTIME, which the kernel's stamps are as well.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKET_NS 20000000LL
#define AUDIO_BYTES 160
#define RTP_BYTES (12 + AUDIO_BYTES)
#define ETH 14
#define IP 20
#define UDP 8
#define RTP_AT (ETH + IP + UDP)
#define FRAME_BYTES (RTP_AT + RTP_BYTES)
#define MARK_AT (RTP_AT + 12)
#define BATCH 8
#define RING_FRAME 512
#define RING_BLOCK (1 << 20)
#define RING_BLOCKS 64
#define RING_FRAMES (RING_BLOCKS * (RING_BLOCK / RING_FRAME))
#define SUB_BITS 5
#define BUCKETS ((64 - SUB_BITS) << SUB_BITS)
#define MAX_THREADS 64

/* What the measured part of the payload looks like. */
struct mark {
  uint32_t run; /* packets of an earlier run may still be under way */
  uint32_t leg;
  uint32_t number;
  uint32_t is_measured;
  int64_t sent_ns;
} __attribute__((packed));

struct leg {
  uint8_t frame[FRAME_BYTES];
  uint32_t fixed_sum; /* of the pseudo header, UDP header and what never changes */
  uint32_t number;
  int64_t highest; /* last number that came at this leg's far end */
};

struct thread_time {
  int id;
  char name[32];
  long long ran_ns, waited_ns;
};

static struct leg *legs;
static uint32_t leg_count;
static uint32_t run;
static uint16_t peer_port = 10000;
static uint32_t caller_ip, callee_ip, subject_ip;
static uint64_t latency[BUCKETS], lateness[BUCKETS];
static uint64_t sent, refused, received, reordered, misdirected, unstamped, foreign;
static int64_t work_ns;
static int rx_fd, tx_fd;
static uint8_t *ring;
static unsigned ring_at;

static void fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fprintf(stderr, "%s%s\n", errno ? ": " : "", errno ? strerror(errno) : "");
  exit(2);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* 32 steps in each power of two: within 3 %. */
static unsigned bucket(int64_t value) {
  uint64_t v = value < 0 ? 0 : (uint64_t)value;
  if (v < (1 << SUB_BITS)) return v;
  unsigned shift = 63 - __builtin_clzll(v) - SUB_BITS;
  return ((shift + 1) << SUB_BITS) + ((v >> shift) & ((1 << SUB_BITS) - 1));
}

static uint32_t sum16(const uint8_t *bytes, unsigned length) {
  uint32_t sum = 0;
  for (unsigned i = 0; i + 1 < length; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  return sum;
}

static uint16_t fold(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

static void put16(uint8_t *at, uint16_t v) { at[0] = v >> 8; at[1] = v; }
static void put32(uint8_t *at, uint32_t v) { put16(at, v >> 16); put16(at + 2, v); }

static void build(struct leg *leg, uint32_t index, const uint8_t *macs, uint32_t from, uint32_t to,
                  uint16_t from_port, uint16_t to_port) {
  uint8_t *f = leg->frame;
  memcpy(f, macs, 12);
  put16(f + 12, ETH_P_IP);
  uint8_t *ip = f + ETH;
  ip[0] = 0x45;
  put16(ip + 2, IP + UDP + RTP_BYTES);
  put16(ip + 6, 0x4000);
  ip[8] = 64;
  ip[9] = IPPROTO_UDP;
  put32(ip + 12, from);
  put32(ip + 16, to);
  put16(ip + 10, fold(sum16(ip, IP)));
  uint8_t *udp = ip + IP;
  put16(udp, from_port);
  put16(udp + 2, to_port);
  put16(udp + 4, UDP + RTP_BYTES);
  uint8_t *rtp = udp + UDP;
  memset(rtp + 12, 0xd5, AUDIO_BYTES);
  rtp[0] = 0x80;
  rtp[1] = 8;
  put32(rtp + 8, 0x5b000000U + index);
  struct mark *mark = (struct mark *)(f + MARK_AT);
  memset(mark, 0, sizeof *mark);
  mark->run = run;
  mark->leg = index;
  leg->fixed_sum = sum16(ip + 12, 8) + IPPROTO_UDP + UDP + RTP_BYTES + sum16(udp, UDP + RTP_BYTES);
  leg->highest = -1;
}

/* Number, time stamps and checksum of the next packet. */
static void stamp(struct leg *leg, int64_t at_ns, int is_measured) {
  uint8_t *rtp = leg->frame + RTP_AT;
  uint32_t tick = (uint32_t)(at_ns / PACKET_NS);
  struct mark *mark = (struct mark *)(leg->frame + MARK_AT);
  /* Each stream begins at numbers of its own, as phones do (RFC 3550 5.1): nothing may happen to all of them at once. */
  uint32_t first = (mark->leg + 1) * 2654435761U;
  put16(rtp + 2, (uint16_t)(tick + (first >> 16)));
  put32(rtp + 4, tick * AUDIO_BYTES + first);
  mark->number = leg->number++;
  mark->is_measured = is_measured;
  mark->sent_ns = at_ns;
  uint32_t sum = leg->fixed_sum + sum16(rtp + 2, 6) + sum16((uint8_t *)&mark->number, 16);
  uint16_t folded = fold(sum);
  put16(leg->frame + ETH + IP + 6, folded == 0 ? 0xffff : folded);
}

static void take(const uint8_t *frame, unsigned length, int64_t at_ns, int is_stamped) {
  if (length < FRAME_BYTES || frame[12] != 8 || frame[13] != 0 || frame[ETH + 9] != IPPROTO_UDP) return;
  struct mark mark;
  uint32_t to, port = (frame[ETH + IP + 2] << 8) | frame[ETH + IP + 3];
  memcpy(&to, frame + ETH + 16, 4);
  if (ntohl(to) == subject_ip) return; /* our own, on a loopback device */
  memcpy(&mark, frame + MARK_AT, sizeof mark);
  if (mark.run != run || mark.leg >= leg_count) { foreign++; return; }
  uint32_t call = mark.leg / 2, side = mark.leg % 2;
  if (ntohl(to) != (side ? caller_ip : callee_ip) || port != (uint16_t)(peer_port + 2 * call)) {
    misdirected++;
    return;
  }
  struct leg *leg = &legs[mark.leg];
  int is_late = (int64_t)mark.number <= leg->highest;
  if (!is_late) leg->highest = mark.number;
  if (!mark.is_measured) return;
  received++;
  reordered += is_late;
  unstamped += !is_stamped;
  latency[bucket(at_ns - mark.sent_ns)]++;
}

/* Reads what the device's ring holds, `limit` frames at most; gives how many there were. */
static unsigned drain(unsigned limit) {
  unsigned taken = 0;
  while (taken < limit) {
    struct tpacket2_hdr *head = (struct tpacket2_hdr *)(ring + (size_t)ring_at * RING_FRAME);
    uint32_t status = __atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE);
    if (!(status & TP_STATUS_USER)) break;
    int64_t at_ns = head->tp_sec * 1000000000LL + head->tp_nsec;
    take((uint8_t *)head + head->tp_mac, head->tp_snaplen, at_ns, (status & TP_STATUS_TS_SOFTWARE) != 0);
    __atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    ring_at = (ring_at + 1) % RING_FRAMES;
    taken++;
  }
  return taken;
}

static void open_receiver(const char *device) {
  rx_fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (rx_fd < 0) fail("no packet socket");
  int on = 1, version = TPACKET_V2, stamps = SOF_TIMESTAMPING_SOFTWARE;
  setsockopt(rx_fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version);
  setsockopt(rx_fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  setsockopt(rx_fd, SOL_PACKET, PACKET_TIMESTAMP, &stamps, sizeof stamps);
  setsockopt(rx_fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  struct tpacket_req request = {RING_BLOCK, RING_BLOCKS, RING_FRAME, RING_FRAMES};
  if (setsockopt(rx_fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request)) fail("no receive ring");
  ring = mmap(0, (size_t)RING_BLOCK * RING_BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, rx_fd, 0);
  if (ring == MAP_FAILED) fail("no receive ring");
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  at.sll_ifindex = if_nametoindex(device);
  if (bind(rx_fd, (struct sockaddr *)&at, sizeof at)) fail("cannot bind to %s", device);
}

/* Opens the sending socket on `device`, of the namespace at `path` if given; gives the device's address. */
static void open_sender(const char *device, const char *path, uint8_t *mac) {
  if (path) {
    int space = open(path, O_RDONLY);
    if (space < 0 || setns(space, CLONE_NEWNET)) fail("cannot enter %s", path);
  }
  tx_fd = socket(AF_PACKET, SOCK_RAW, 0);
  int on = 1;
  setsockopt(tx_fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(device)};
  if (bind(tx_fd, (struct sockaddr *)&at, sizeof at)) fail("cannot bind to %s", device);
  struct ifreq request = {0};
  strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  if (ioctl(tx_fd, SIOCGIFHWADDR, &request)) fail("no address of %s", device);
  memcpy(mac, request.ifr_hwaddr.sa_data, 6);
}

/* The counters of one CPU in /proc/stat, in hundredths of a second. */
static void read_cpu(int cpu, long long out[8]) {
  char line[512], name[16];
  snprintf(name, sizeof name, "cpu%d ", cpu);
  FILE *file = fopen("/proc/stat", "r");
  memset(out, 0, 8 * sizeof *out);
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, strlen(name))) continue;
    sscanf(line + strlen(name), "%lld %lld %lld %lld %lld %lld %lld %lld", &out[0], &out[1], &out[2], &out[3],
           &out[4], &out[5], &out[6], &out[7]);
  }
  if (file) fclose(file);
}

/* The threads of `pid`, told apart by id. */
static int read_threads(int pid, struct thread_time *out) {
  char path[320];
  int count = 0;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *folder = pid ? opendir(path) : NULL;
  if (!folder) return 0;
  for (struct dirent *entry; count < MAX_THREADS && (entry = readdir(folder));) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    struct thread_time *t = &out[count];
    t->id = atoi(entry->d_name);
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, t->id);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    int fields = fscanf(file, "%lld %lld", &t->ran_ns, &t->waited_ns);
    fclose(file);
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, t->id);
    file = fopen(path, "r");
    if (!file) continue;
    if (!fgets(t->name, sizeof t->name, file)) t->name[0] = 0;
    fclose(file);
    for (char *c = t->name; *c; c++)
      if (*c == '\n' || *c == '"' || *c == '\\' || (unsigned char)*c < 32) *c = *c == '\n' ? 0 : '_';
    count += fields == 2;
  }
  closedir(folder);
  return count;
}

static void print_buckets(const char *name, const uint64_t *counts) {
  const char *comma = "";
  printf(",\"%s\":[", name);
  for (unsigned i = 0; i < BUCKETS; i++) {
    if (!counts[i]) continue;
    printf("%s[%u,%llu]", comma, i, (unsigned long long)counts[i]);
    comma = ",";
  }
  printf("]");
}

static void print_cpu(const char *name, const long long *before, const long long *after) {
  printf(",\"%s\":[", name);
  for (int i = 0; i < 8; i++) printf("%s%lld", i ? "," : "", after[i] - before[i]);
  printf("]");
}

/* Sends all that is due at `now`; gives how many packets that were. `next` counts packets since the start. */
static unsigned send_due(uint64_t *next, int64_t now, int64_t start_ns, int64_t from_ns, int64_t to_ns) {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  uint64_t due = (uint64_t)((double)(now - start_ns) * leg_count / PACKET_NS) + 1;
  unsigned count = 0, measured = 0;
  uint32_t calls = leg_count / 2;
  for (; count < BATCH && *next < due; count++, (*next)++) {
    uint32_t place = *next % leg_count;
    struct leg *leg = &legs[2 * (place % calls) + place / calls];
    int64_t due_ns = start_ns + (int64_t)((double)*next * PACKET_NS / leg_count);
    int is_measured = due_ns >= from_ns && due_ns < to_ns;
    stamp(leg, now, is_measured);
    measured += is_measured;
    if (is_measured) lateness[bucket(now - due_ns)]++;
    parts[count] = (struct iovec){leg->frame, FRAME_BYTES};
    memset(&messages[count], 0, sizeof messages[count]);
    messages[count].msg_hdr.msg_iov = &parts[count];
    messages[count].msg_hdr.msg_iovlen = 1;
  }
  if (!count) return 0;
  int taken = sendmmsg(tx_fd, messages, count, 0);
  if (taken < (int)count) refused += count - (taken < 0 ? 0 : taken);
  sent += measured;
  return count;
}

static void read_ports(const char *path, const uint8_t *macs, int is_direct) {
  FILE *file = fopen(path, "r");
  if (!file) fail("cannot read %s", path);
  for (uint32_t call = 0; call < leg_count / 2; call++) {
    unsigned ports[2];
    if (fscanf(file, "%u %u", &ports[0], &ports[1]) != 2) fail("%s has no call %u", path, call);
    for (uint32_t side = 0; side < 2; side++) {
      uint32_t own = side ? callee_ip : caller_ip, other = side ? caller_ip : callee_ip;
      uint16_t port = peer_port + 2 * call;
      build(&legs[2 * call + side], 2 * call + side, macs, is_direct ? subject_ip : own,
            is_direct ? other : subject_ip, is_direct ? ports[side] : port, is_direct ? port : ports[side]);
    }
  }
  fclose(file);
}

static uint32_t address(const char *text) {
  struct in_addr a;
  if (inet_pton(AF_INET, text, &a) != 1) fail("no address: %s", text);
  return ntohl(a.s_addr);
}

/*
 * Nothing else on this CPU may delay the load. Where the scheduler groups processes by session the niceness of one
 * counts inside its group only, and would take its share from the others of the group on all CPUs: a session of our own.
 */
static void go_first(void) {
  setsid();
  setpriority(PRIO_PROCESS, 0, -20);
  FILE *file = fopen("/proc/self/autogroup", "w");
  if (file) {
    fprintf(file, "-20");
    fclose(file);
  }
  mlockall(MCL_CURRENT | MCL_FUTURE);
}

int main(int argc, char **argv) {
  const char *device = "", *direct_space = NULL, *direct_device = NULL, *ports = "";
  int warm_ms = 1000, measured_ms = 2000, cool_ms = 300, cpu = 0, pid = 0, slot_us = 0;
  uint8_t macs[12] = {0};
  for (int option; (option = getopt(argc, argv, "i:D:d:m:n:f:s:a:b:p:w:t:c:u:P:S:")) != -1;) {
    switch (option) {
      case 'i': device = optarg; break;
      case 'D': direct_space = optarg; break;
      case 'd': direct_device = optarg; break;
      case 'm':
        if (sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &macs[0], &macs[1], &macs[2], &macs[3], &macs[4],
                   &macs[5]) != 6) fail("no MAC address: %s", optarg);
        break;
      case 'n': leg_count = 2 * atoi(optarg); break;
      case 'f': ports = optarg; break;
      case 's': subject_ip = address(optarg); break;
      case 'a': caller_ip = address(optarg); break;
      case 'b': callee_ip = address(optarg); break;
      case 'p': peer_port = atoi(optarg); break;
      case 'w': warm_ms = atoi(optarg); break;
      case 't': measured_ms = atoi(optarg); break;
      case 'c': cool_ms = atoi(optarg); break;
      case 'u': cpu = atoi(optarg); break;
      case 'P': pid = atoi(optarg); break;
      case 'S': slot_us = atoi(optarg); break;
      default: return 2;
    }
  }
  errno = 0;
  if (!leg_count || leg_count > 2 * 25000) fail("calls: 1 to 25000");
  run = (uint32_t)now_ns() | 1;
  legs = calloc(leg_count, sizeof *legs);
  open_receiver(device);
  open_sender(direct_device ? direct_device : device, direct_space, macs + 6);
  read_ports(ports, macs, direct_device != NULL);
  go_first();

  int own_cpu = sched_getcpu();
  long long cpu_before[8], cpu_after[8], own_before[8], own_after[8];
  static struct thread_time threads_before[MAX_THREADS], threads_after[MAX_THREADS];
  int before = 0, after = 0, is_open = 0;
  /* The turns of the loop that only look at the clock are no work. */
  int64_t start_ns = now_ns(), from_ns = start_ns + warm_ms * 1000000LL;
  int64_t to_ns = from_ns + measured_ms * 1000000LL, end_ns = to_ns + cool_ms * 1000000LL;
  int64_t read_ns = 0, elapsed_ns = 0;
  uint64_t next = 0;
  for (int64_t now = start_ns; now < end_ns + 200000000LL; now = now_ns()) {
    if (!is_open && now >= from_ns) {
      is_open = 1;
      read_cpu(cpu, cpu_before);
      read_cpu(own_cpu, own_before);
      before = read_threads(pid, threads_before);
      read_ns = now_ns();
      work_ns = 0;
    }
    if (is_open == 1 && now >= to_ns) {
      is_open = 2;
      elapsed_ns = now_ns() - read_ns;
      read_cpu(cpu, cpu_after);
      read_cpu(own_cpu, own_after);
      after = read_threads(pid, threads_after);
    }
    unsigned done = now < end_ns ? send_due(&next, now, start_ns, from_ns, to_ns) : 0;
    done += drain(64);
    if (done && is_open == 1) work_ns += now_ns() - now;
    if (!done && slot_us) {
      struct timespec pause = {0, slot_us * 1000L};
      nanosleep(&pause, NULL);
    }
  }
  struct tpacket_stats stats = {0};
  socklen_t size = sizeof stats;
  getsockopt(rx_fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size);
  printf("{\"calls\":%u,\"elapsedNs\":%lld,\"sent\":%llu,\"received\":%llu,\"reordered\":%llu,\"refused\":%llu", leg_count / 2,
         (long long)elapsed_ns, (unsigned long long)sent, (unsigned long long)received, (unsigned long long)reordered,
         (unsigned long long)refused);
  printf(",\"misdirected\":%llu,\"unstamped\":%llu,\"foreign\":%llu,\"ringDrops\":%u,\"workNs\":%lld",
         (unsigned long long)misdirected, (unsigned long long)unstamped, (unsigned long long)foreign, stats.tp_drops,
         (long long)work_ns);
  print_cpu("subjectCpu", cpu_before, cpu_after);
  print_cpu("ownCpu", own_before, own_after);
  printf(",\"threads\":[");
  int printed = 0;
  for (int i = 0; i < after; i++) {
    long long ran = threads_after[i].ran_ns, waited = threads_after[i].waited_ns;
    for (int j = 0; j < before; j++) {
      if (threads_before[j].id != threads_after[i].id) continue;
      ran -= threads_before[j].ran_ns;
      waited -= threads_before[j].waited_ns;
    }
    printf("%s{\"name\":\"%s\",\"ranNs\":%lld,\"waitedNs\":%lld}", printed++ ? "," : "", threads_after[i].name, ran, waited);
  }
  printf("]");
  print_buckets("latency", latency);
  print_buckets("lateness", lateness);
  printf("}\n");
  return 0;
}
