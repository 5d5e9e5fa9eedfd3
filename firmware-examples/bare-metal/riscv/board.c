/*
 * A 32-bit RISC-V with an NS16550A UART and the CLINT's clock at the addresses of
 * QEMU's board virt. What is said to a person is for the same UART elsewhere: this
 * board has no second one, so it is silent.
 */
#include "board.h"

#define UART ((volatile uint8_t *)0x10000000u)
#define LINE_STATUS 5
#define RECEIVED 1u
#define ROOM 32u

#define MTIME_LOW (*(volatile uint32_t *)0x0200bff8u)
#define MTIME_HIGH (*(volatile uint32_t *)0x0200bffcu)
#define TICKS_PER_MS 10000u

void board_start(void) { UART[2] = 1; /* the FIFO */ }

int board_get(void) { return UART[LINE_STATUS] & RECEIVED ? UART[0] : -1; }

void board_put(uint8_t byte)
{
	while (!(UART[LINE_STATUS] & ROOM))
		;
	UART[0] = byte;
}

uint32_t board_now_ms(void)
{
	uint32_t high, low;

	do { /* the two halves are read one after the other */
		high = MTIME_HIGH;
		low = MTIME_LOW;
	} while (high != MTIME_HIGH);
	return (uint32_t)(((uint64_t)high << 32 | low) / TICKS_PER_MS);
}

void board_say(const char *text) { (void)text; }

/* -------------------------------------------------------------------- start */

__asm__(".section .start\n"
        ".globl start\n"
        "start:\n"
        "	la sp, stack_top\n"
        "	la t0, bss_start\n"
        "	la t1, bss_end\n"
        "1:	bgeu t0, t1, 2f\n"
        "	sw zero, 0(t0)\n"
        "	addi t0, t0, 4\n"
        "	j 1b\n"
        "2:	call main\n"
        "3:	j 3b\n");
