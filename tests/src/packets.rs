//! A network whose packets are late and lost, in a network namespace of its own.
//!
//! The namespace has one device, a TUN, whose other end is a task of the test: what is sent to [`FAR`] comes back out
//! of it as if [`FAR`] had sent it to [`NEAR`]. So whoever connects to [`FAR`] reaches who listens at [`NEAR`], both
//! in the namespace, and each packet passes the task, either way. Two addresses that change places leave the checksums
//! of IP and TCP as they are, which are sums (RFC 1071). Everything else is the system's own TCP: what it sends again,
//! and when.

use std::{
    net::Ipv4Addr,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tokio::task::JoinHandle;
use tokio_tun::Tun;

use crate::random::Random;

/// The address in the namespace at which a daemon can listen.
pub const NEAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The address at which a client reaches it.
pub const FAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

/// Set for a test that runs in a namespace.
const INSIDE: &str = "INTERPRET_TEST_IN_NAMESPACE";
/// The device's name.
const DEVICE: &str = "rough0";
/// Longest packet.
const MTU: usize = 1_400;

/// Where a test runs.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// In a namespace: the test can begin.
    Inside,
    /// Outside, where it has been run in a namespace already, and has passed.
    Passed,
    /// Outside, on a system that gives no namespaces or no devices for them.
    NoNamespaces,
}

/// Runs the test `name` of this very program in a namespace, unless it is in one.
///
/// # Errors
/// When the test fails in there.
pub fn in_namespace(name: &str) -> Result<Place> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(Place::Inside);
    }
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net"]);
        command
    };
    // A device of the namespace, as the test will make it.
    let possible = unshare()
        .args(["ip", "tuntap", "add", "dev", DEVICE, "mode", "tun"])
        .stderr(Stdio::null())
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        return Ok(Place::NoNamespaces);
    }
    let output = unshare()
        .arg(std::env::current_exe()?)
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // A name that no test has would pass, too.
    if !output.status.success() || !said.contains("1 passed") {
        bail!("{name} fails in a network namespace:\n{said}");
    }
    Ok(Place::Passed)
}

/// The network of the namespace that this program is in. Dropping it ends it.
#[derive(Debug)]
pub struct RoughNetwork {
    carrying: JoinHandle<()>,
}

impl RoughNetwork {
    /// Each packet is up to `late` late, so that packets overtake each other, and one of `lost_of` is lost.
    ///
    /// # Errors
    /// When the device cannot be made.
    pub fn new(late: Duration, lost_of: u32) -> Result<Self> {
        let device = Tun::builder()
            .name(DEVICE)
            .address(NEAR)
            .netmask(Ipv4Addr::new(255, 255, 255, 0))
            .mtu(MTU as i32)
            .up()
            .build()
            .context("making a TUN device")?
            .pop()
            .context("no device")?;
        let carrying = tokio::spawn(carry(Arc::new(device), late, lost_of));
        Ok(Self { carrying })
    }
}

impl Drop for RoughNetwork {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

async fn carry(device: Arc<Tun>, late: Duration, lost_of: u32) {
    let mut chance = Random::new(1);
    let mut buffer = [0; MTU];
    while let Ok(length) = device.recv(&mut buffer).await {
        let mut packet = buffer[..length].to_vec();
        // IPv6 asks who is there: nobody.
        if length < 20 || packet[0] >> 4 != 4 {
            continue;
        }
        let random = chance.draw();
        if (random >> 16).is_multiple_of(lost_of) {
            continue;
        }
        let share = f64::from(random >> 8) / f64::from(1 << 24);
        // Source and destination (RFC 791).
        let (sources, destinations) = packet[12..20].split_at_mut(4);
        sources.swap_with_slice(destinations);
        let device = Arc::clone(&device);
        tokio::spawn(async move {
            tokio::time::sleep(late.mul_f64(share)).await;
            // Fails when the device is gone.
            let _ = device.send(&packet).await;
        });
    }
}
