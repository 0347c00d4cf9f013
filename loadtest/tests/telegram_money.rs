//! Stars: from the invoice to the refund.

mod telegram_support;

use std::time::Duration;

use nobat_load::telegram::EmulatorConfig;
use nobat_load::wire::What;
use serde_json::{Value, json};
use telegram_support::{LANE, MAIN, OK, Rig, Webhook};

fn invoice() -> Value {
    json!({
        "chat_id": 5, "title": "VIP", "description": "30 days", "payload": "vip-30", "currency": "XTR",
        "prices": [{"label": "VIP", "amount": 250}],
    })
}

/// The next update at the webhook, by its place.
async fn update(rig: &mut Rig, hook: &Webhook, place: usize) -> Value {
    while hook.got.lock().unwrap().len() <= place {
        rig.next_delivery().await;
    }
    hook.got.lock().unwrap()[place].update.clone()
}

#[tokio::test]
async fn a_payment_goes_from_invoice_to_checkout_to_payment_to_refund() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    let mut client = rig.client().await;
    let sent = client.call(MAIN, "sendInvoice", invoice()).await;
    assert_eq!(sent.json["result"]["invoice"]["total_amount"], 250);
    rig.submit(5, What::Other(format!("pay:{}", sent.message_id())));
    let query = update(&mut rig, &hook, 0).await["pre_checkout_query"].clone();
    assert_eq!(
        (&query["invoice_payload"], &query["currency"], &query["total_amount"], &query["from"]["id"]),
        (&json!("vip-30"), &json!("XTR"), &json!(250), &json!(5))
    );
    let yes = json!({"pre_checkout_query_id": query["id"], "ok": true});
    assert_eq!(client.call(LANE, "answerPreCheckoutQuery", yes.clone()).await.status, 400, "another bot's");
    assert_eq!(client.call(MAIN, "answerPreCheckoutQuery", yes.clone()).await.status, 200);
    assert_eq!(client.call(MAIN, "answerPreCheckoutQuery", yes).await.status, 400, "once only");
    let paid = update(&mut rig, &hook, 1).await["message"]["successful_payment"].clone();
    assert_eq!(paid["invoice_payload"], "vip-30");
    let charge = json!({"user_id": 5, "telegram_payment_charge_id": paid["telegram_payment_charge_id"]});
    assert_eq!(client.call(MAIN, "refundStarPayment", charge.clone()).await.status, 200);
    let again = client.call(MAIN, "refundStarPayment", charge).await;
    assert_eq!(again.description(), "Bad Request: CHARGE_ALREADY_REFUNDED");
    let refunded = update(&mut rig, &hook, 2).await["message"]["refunded_payment"].clone();
    assert_eq!(refunded["telegram_payment_charge_id"], paid["telegram_payment_charge_id"]);
    let list = client.call(MAIN, "getStarTransactions", json!({})).await;
    let list = list.json["result"]["transactions"].as_array().unwrap().clone();
    assert_eq!(list.len(), 2);
    assert!(list[0]["source"].is_object() && list[1]["receiver"].is_object());
}

#[tokio::test]
async fn a_stars_invoice_has_exactly_one_price_and_a_payload() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let mut two = invoice();
    two["prices"] = json!([{"label": "a", "amount": 1}, {"label": "b", "amount": 2}]);
    assert_eq!(
        client.call(MAIN, "sendInvoice", two).await.description(),
        "Bad Request: STARS_INVOICE_INVALID"
    );
    let mut long = invoice();
    long["payload"] = "x".repeat(129).into();
    assert_eq!(client.call(MAIN, "sendInvoice", long).await.status, 400);
}

#[tokio::test]
async fn a_refused_checkout_needs_a_reason_and_makes_no_payment() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    let mut client = rig.client().await;
    let sent = client.call(MAIN, "sendInvoice", invoice()).await;
    rig.submit(5, What::Other(format!("pay:{}", sent.message_id())));
    let id = update(&mut rig, &hook, 0).await["pre_checkout_query"]["id"].clone();
    let no = json!({"pre_checkout_query_id": id, "ok": false, "error_message": "sold out"});
    assert_eq!(client.call(MAIN, "answerPreCheckoutQuery", no).await.status, 200);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(hook.ids().len(), 1);
    let list = client.call(MAIN, "getStarTransactions", json!({})).await;
    assert_eq!(list.json["result"]["transactions"], json!([]));
}
