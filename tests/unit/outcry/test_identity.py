from hypothesis import given
from hypothesis import strategies as st

from outcry.identity import client_order_id, fill_id

TEXT = st.text(min_size=0, max_size=8).filter(lambda text: "\x00" not in text)
KEY = st.tuples(TEXT, st.integers(0, 10**9), TEXT, TEXT)


@given(KEY, KEY)
def test_two_orders_share_an_id_only_where_run_frame_symbol_and_purpose_are_the_same(a, b):
    assert (client_order_id(*a) == client_order_id(*b)) == (a == b)


def test_ids_fit_the_limit_of_brokers_and_differ_between_orders_and_fills():
    order_id = client_order_id("run", 3, "BRK.B", "enter")
    assert len(order_id) == 32
    assert fill_id(order_id, 3) != fill_id(order_id, 4) != order_id


def test_an_id_is_the_same_in_every_version():
    assert client_order_id("run", 3, "BRK.B", "enter") == "ca43de381aa9d35bb21b28b436c84186"
