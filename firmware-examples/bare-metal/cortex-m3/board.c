/*
 * The MPS2 board with a Cortex-M3 (AN385), as QEMU has it: UART 0 goes to the
 * broker, UART 1 to a person, SysTick counts milliseconds.
 */
#include "board.h"

#define CLOCK_HZ 25000000u

struct uart { /* CMSDK APB UART */
	volatile uint32_t data, state, control, interrupt, divider;
};

#define UART0 ((struct uart *)0x40004000u)
#define UART1 ((struct uart *)0x40005000u)
#define TX_FULL 1u
#define RX_FULL 2u

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xe000e010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xe000e014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xe000e018u)

static volatile uint32_t milliseconds;

static void on_tick(void) { milliseconds++; }

static void uart_start(struct uart *u)
{
	u->divider = CLOCK_HZ / 115200;
	u->control = 3; /* both directions */
}

static void uart_put(struct uart *u, uint8_t byte)
{
	while (u->state & TX_FULL)
		;
	u->data = byte;
}

void board_start(void)
{
	uart_start(UART0);
	uart_start(UART1);
	SYSTICK_RELOAD = CLOCK_HZ / 1000 - 1;
	SYSTICK_VALUE = 0;
	SYSTICK_CONTROL = 7; /* the processor's clock, with an interrupt */
}

int board_get(void) { return UART0->state & RX_FULL ? (int)(UART0->data & 0xff) : -1; }

void board_put(uint8_t byte) { uart_put(UART0, byte); }

uint32_t board_now_ms(void) { return milliseconds; }

void board_say(const char *text)
{
	while (*text != 0)
		uart_put(UART1, (uint8_t)*text++);
}

/* -------------------------------------------------------------------- start */

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;
int main(void);

void start(void);

void start(void)
{
	uint32_t *from = &data_load, *to;

	for (to = &data_start; to < &data_end;)
		*to++ = *from++;
	for (to = &bss_start; to < &bss_end;)
		*to++ = 0;
	main();
	for (;;)
		;
}

static void fault(void)
{
	board_say("fault\n");
	for (;;)
		;
}

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const handler vectors[16] = {
	(handler)&stack_top, start, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, on_tick,
};
