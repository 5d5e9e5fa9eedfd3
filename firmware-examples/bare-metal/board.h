/*
 * What the truck needs of a board: a UART that something bridges to the
 * broker's TCP port (a modem, a network chip, or QEMU), a clock, and a place to
 * say something. Each board has its own board.c.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_start(void);

/* The UART to the broker. board_get returns the next byte, or -1 if none has
 * come; board_put waits until there is room. */
int board_get(void);
void board_put(uint8_t byte);

/* Milliseconds since the start; it wraps around. */
uint32_t board_now_ms(void);

/* Says something to a person: a second UART here, a lamp elsewhere. */
void board_say(const char *text);

#endif
