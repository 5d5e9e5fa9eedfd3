/*
 * An ATmega328P at 16 MHz, as on an Arduino Uno: its one UART goes to the broker,
 * and the lamp on pin 13 (PB5) is on in the depot. The receive buffer is filled by
 * an interrupt, because a byte comes every 87 microseconds.
 */
#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

static volatile uint32_t milliseconds;
static volatile uint8_t received[128], head, tail;

ISR(TIMER0_COMPA_vect) { milliseconds++; }

ISR(USART_RX_vect)
{
	uint8_t byte = UDR0, next = (uint8_t)(head + 1) % sizeof received;

	if (next != tail) { /* else the packet is broken, and the truck signs in again */
		received[head] = byte;
		head = next;
	}
}

void board_start(void)
{
	UCSR0A = 1 << U2X0;
	UBRR0 = 16; /* 115,200 baud */
	UCSR0B = 1 << RXCIE0 | 1 << RXEN0 | 1 << TXEN0;
	TCCR0A = 1 << WGM01;
	TCCR0B = 1 << CS01 | 1 << CS00; /* 250 kHz */
	OCR0A = 249;
	TIMSK0 = 1 << OCIE0A;
	DDRB |= 1 << DDB5;
	sei();
}

int board_get(void)
{
	uint8_t byte;

	if (head == tail)
		return -1;
	byte = received[tail];
	tail = (uint8_t)(tail + 1) % sizeof received;
	return byte;
}

void board_put(uint8_t byte)
{
	while (!(UCSR0A & 1 << UDRE0))
		;
	UDR0 = byte;
}

uint32_t board_now_ms(void)
{
	uint32_t now;

	ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { now = milliseconds; }
	return now;
}

void board_say(const char *text)
{
	if (text[0] == 'e') /* entered */
		PORTB |= 1 << PORTB5;
	else
		PORTB &= (uint8_t) ~(1 << PORTB5);
}
