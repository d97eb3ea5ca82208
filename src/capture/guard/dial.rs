//! From a name to a connection. Each name is resolved here, once; every address that comes of it is checked, and those very
//! addresses are dialled, so that a name that answers differently the next time gains nothing.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use rustix::io::Errno;
use tokio::{
    net::{TcpStream, UdpSocket},
    sync::Semaphore,
    time::timeout,
};

use super::{Reason, Rules, is_public, name::Name, ours, port};

/// How long a name may take to be resolved.
const RESOLVING: Duration = Duration::from_secs(5);

/// How many names are looked up at once for one door, and for all of them. The machine's resolver holds a thread for each until it gives
/// up, which may be long after we have, and there are threads for other work as well.
const LOOKED_UP: usize = 8;
const ALL_LOOKED_UP: usize = 32;
static LOOKING_UP: Semaphore = Semaphore::const_new(ALL_LOOKED_UP);

/// How long one address may take to answer.
const CONNECTING: Duration = Duration::from_secs(5);

/// How many addresses of a name are tried.
const TRIED: usize = 4;

/// Ports that a public machine shows to the whole world anyway.
const WEB_PORTS: [u16; 2] = [80, 443];

/// Where a request wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: Name,
    pub(super) port: u16,
}

/// What a test's resolver answers.
#[cfg(test)]
type Answers = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Where addresses come from.
pub(super) enum Resolver {
    /// The machine's own resolver, which so many of a door's names have left to ask.
    System(Arc<Semaphore>),
    /// A test's.
    #[cfg(test)]
    Given(Box<Answers>),
}

impl Resolver {
    /// The machine's own.
    pub(super) fn system() -> Self {
        Self::System(Arc::new(Semaphore::new(LOOKED_UP)))
    }

    /// The addresses of a name. One that is `absolute` is taken as it is: neither search domains nor `/etc/hosts` change what it means.
    async fn look_up(&self, domain: &str, absolute: bool) -> io::Result<Vec<IpAddr>> {
        let asked = if absolute { format!("{domain}.") } else { domain.to_owned() };
        match self {
            Self::System(turns) => {
                let look = move || (asked.as_str(), 0).to_socket_addrs();
                Ok(in_turn(Arc::clone(turns), look).await??.map(|address| address.ip()).collect())
            }
            #[cfg(test)]
            Self::Given(answer) => Ok(answer(&asked)),
        }
    }
}

/// Does what holds a thread, once there is a turn of the door and one of all; whoever waits for it, both are free again when it is done.
async fn in_turn<T: Send + 'static>(turns: Arc<Semaphore>, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let own = turns.acquire_owned().await.map_err(io::Error::other)?;
    let one_of_all = LOOKING_UP.acquire().await.map_err(io::Error::other)?;
    let working = tokio::task::spawn_blocking(move || {
        let _turns = (own, one_of_all);
        work()
    });
    working.await.map_err(io::Error::other)
}

/// Connects to a target that the rules allow.
pub(super) async fn dial(target: &Target, rules: &Rules, resolver: &Resolver) -> Result<TcpStream, Reason> {
    let addresses = checked(target, rules, resolver).await?;
    for address in addresses.into_iter().take(TRIED) {
        if let Ok(Ok(stream)) = timeout(CONNECTING, TcpStream::connect(SocketAddr::new(address, target.port))).await {
            let _ = stream.set_nodelay(true); // without it only later
            return Ok(stream);
        }
    }
    Err(Reason::Unreachable)
}

/// The addresses of a target, all of which may be dialled.
pub(super) async fn checked(target: &Target, rules: &Rules, resolver: &Resolver) -> Result<Vec<IpAddr>, Reason> {
    let Target { host, port } = target;
    if port::is_bad(*port) && !rules.allow.iter().any(|allowed| allowed.names_port(host, *port)) {
        return Err(Reason::BadPort);
    }
    let allowed = rules.allow.iter().any(|allowed| allowed.opens(host, *port));
    if !allowed && host.is_local() {
        return Err(Reason::LocalName);
    }
    let addresses = addresses(host, !allowed, resolver).await?;
    if ours::is_ours(*port) {
        for address in &addresses {
            if ours::is_loopback(*address) || is_own(address.to_canonical()).await? {
                return Err(Reason::OwnAddress);
            }
        }
    }
    if allowed {
        return Ok(addresses);
    }
    if !addresses.iter().copied().all(is_public) {
        return Err(Reason::NotPublic);
    }
    for address in &addresses {
        if !WEB_PORTS.contains(port) && is_own(*address).await? {
            return Err(Reason::OwnAddress);
        }
    }
    Ok(addresses)
}

async fn addresses(host: &Name, absolute: bool, resolver: &Resolver) -> Result<Vec<IpAddr>, Reason> {
    match host {
        Name::Address(address) => Ok(vec![*address]),
        // Browsers do not ask a resolver for these either, and many resolvers know only `localhost` itself.
        Name::Domain(_) if host.is_loopback() => Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
        Name::Domain(domain) => match timeout(RESOLVING, resolver.look_up(domain, absolute)).await {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(Err(error)) if is_no_name(&error.to_string()) => Err(Reason::NoSuchName),
            _ => Err(Reason::Unresolved),
        },
    }
}

/// Whether the resolver's words mean that there is no such name; it says so in words alone. glibc, musl and macOS have their own.
fn is_no_name(words: &str) -> bool {
    [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
        "nodename nor servname",
    ]
    .iter()
    .any(|known| words.contains(known))
}

/// Whether this machine has the address itself: a packet to it would leave from it. A socket is asked for its route; nothing is
/// sent. Services that a firewall keeps from the world are within reach from here. Where it cannot be told, the address is not dialled.
async fn is_own(address: IpAddr) -> Result<bool, Reason> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let route = async {
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect((address, 9)).await?;
        socket.local_addr()
    };
    leaves_from(route.await, address)
}

/// What a route says of an address. Without a way there, or without that version of the protocol, it is not ours; any other error, such
/// as that there are no sockets left, says nothing.
fn leaves_from(route: io::Result<SocketAddr>, address: IpAddr) -> Result<bool, Reason> {
    const NO_WAY: [Errno; 5] =
        [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL, Errno::NETUNREACH, Errno::HOSTUNREACH, Errno::NETDOWN];
    match route {
        Ok(own) => Ok(own.ip() == address),
        Err(error) if Errno::from_io_error(&error).is_some_and(|errno| NO_WAY.contains(&errno)) => Ok(false),
        Err(_) => Err(Reason::Unreachable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str]) -> Rules {
        Rules { allow: allow.iter().map(|host| host.parse().unwrap()).collect(), ..Rules::default() }
    }

    async fn check(host: &str, port: u16, allow: &[&str], answers: &[&str]) -> Result<Vec<IpAddr>, Reason> {
        let answers: Vec<IpAddr> = answers.iter().map(|answer| answer.parse().unwrap()).collect();
        let resolver = Resolver::Given(Box::new(move |_| answers.clone()));
        checked(&Target { host: Name::parse(host).unwrap(), port }, &rules(allow), &resolver).await
    }

    #[tokio::test]
    async fn one_inner_address_among_the_answers_is_enough_to_refuse() {
        let [one, two, inner] = ["93.184.215.14", "2606:4700::1111", "10.0.0.1"];
        assert_eq!(
            check("a.example", 80, &[], &[one, two]).await,
            Ok(vec![one.parse().unwrap(), two.parse().unwrap()])
        );
        for answers in
            [&[one, inner][..], &[inner, one], &[one, "::ffff:127.0.0.1"], &[two, "64:ff9b::a00:1"], &[one, "fe80::1"]]
        {
            assert_eq!(check("a.example", 80, &[], answers).await, Err(Reason::NotPublic), "{answers:?}");
        }
        assert_eq!(check("a.example", 80, &[], &[]).await, Err(Reason::Unresolved));
    }

    #[test]
    fn a_name_that_does_not_exist_is_told_from_a_resolver_that_does_not_answer() {
        let words = |said: &str| format!("failed to lookup address information: {said}");
        assert!(is_no_name(&words("Name or service not known")));
        assert!(!is_no_name(&words("Temporary failure in name resolution")));
    }

    #[tokio::test]
    async fn what_is_named_may_be_anywhere_at_its_port() {
        assert!(check("app.internal", 8080, &["app.internal"], &["10.0.0.1"]).await.is_ok());
        assert!(check("app.internal", 8080, &["app.internal:8080"], &["10.0.0.1"]).await.is_ok());
        assert_eq!(check("app.internal", 8081, &["app.internal:8080"], &["10.0.0.1"]).await, Err(Reason::LocalName));
        assert_eq!(check("app.example", 8081, &["app.example:8080"], &["10.0.0.1"]).await, Err(Reason::NotPublic));
        assert_eq!(check("db", 8081, &[], &["93.184.215.14"]).await, Err(Reason::LocalName));
        assert_eq!(check("10.0.0.1", 80, &["10.0.0.2"], &[]).await, Err(Reason::NotPublic));
        let loopback: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        assert_eq!(check("blog.localhost", 80, &["blog.localhost"], &[]).await, Ok(loopback));
    }

    #[tokio::test]
    async fn a_port_of_our_own_is_never_opened() {
        let ours = super::super::OurPort::close(61_234);
        for host in ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "127.9.9.9"] {
            for allow in [&[host][..], &[&format!("{host}:61234")]] {
                assert_eq!(check(host, 61_234, allow, &[]).await, Err(Reason::OwnAddress), "{host}");
            }
            assert!(check(host, 61_235, &[host], &[]).await.is_ok(), "{host}");
        }
        assert_eq!(check("app.internal", 61_234, &["app.internal"], &["127.0.0.1"]).await, Err(Reason::OwnAddress));
        assert!(check("app.internal", 61_234, &["app.internal"], &["10.0.0.1"]).await.is_ok());
        drop(ours);
        assert!(check("127.0.0.1", 61_234, &["127.0.0.1"], &[]).await.is_ok());
    }

    #[tokio::test]
    async fn a_bad_port_must_be_named_itself() {
        assert_eq!(check("a.example", 22, &[], &["93.184.215.14"]).await, Err(Reason::BadPort));
        assert_eq!(check("a.example", 22, &["a.example"], &["10.0.0.1"]).await, Err(Reason::BadPort));
        assert!(check("a.example", 6000, &["a.example:6000"], &["10.0.0.1"]).await.is_ok());
    }

    #[tokio::test]
    async fn a_name_of_the_public_is_asked_for_as_it_is_and_an_allowed_one_as_the_machine_knows_it() {
        let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let ear = std::sync::Arc::clone(&heard);
        let resolver = Resolver::Given(Box::new(move |asked| {
            ear.lock().unwrap().push(asked.to_owned());
            vec![[93, 184, 215, 14].into()]
        }));
        for (host, allow) in [("a.example", &[][..]), ("web", &["web"])] {
            let target = Target { host: Name::parse(host).unwrap(), port: 80 };
            checked(&target, &rules(allow), &resolver).await.unwrap();
        }
        assert_eq!(*heard.lock().unwrap(), ["a.example.", "web"]);
    }

    #[tokio::test]
    async fn the_machine_knows_its_own_addresses() {
        assert_eq!(is_own(Ipv4Addr::LOCALHOST.into()).await, Ok(true));
        assert_eq!(is_own([93, 184, 215, 14].into()).await, Ok(false));
    }

    #[test]
    fn an_address_of_which_nothing_can_be_told_is_not_dialled() {
        let address = IpAddr::from([93, 184, 215, 14]);
        let route = |errno: Errno| leaves_from(Err(errno.into()), address);
        for without in [Errno::AFNOSUPPORT, Errno::NETUNREACH, Errno::ADDRNOTAVAIL] {
            assert_eq!(route(without), Ok(false), "{without}");
        }
        for unknown in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::ACCESS, Errno::PERM] {
            assert_eq!(route(unknown), Err(Reason::Unreachable), "{unknown}");
        }
    }

    #[tokio::test]
    async fn so_many_names_of_a_door_are_looked_up_at_once_and_no_more() {
        let (turns, other) = [(), ()].map(|()| Arc::new(Semaphore::new(LOOKED_UP))).into();
        let (ask, asked) = std::sync::mpsc::channel();
        let (answer, answers) = std::sync::mpsc::channel::<()>();
        let answers = Arc::new(std::sync::Mutex::new(answers));
        let waiting: Vec<_> = (0..3 * LOOKED_UP)
            .map(|_| {
                let (ask, answers) = (ask.clone(), Arc::clone(&answers));
                let look = move || {
                    ask.send(()).unwrap();
                    let _ = answers.lock().unwrap().recv(); // until the test has seen enough
                };
                let mut looking = Box::pin(in_turn(Arc::clone(&turns), look));
                // Whoever gives up waiting has not freed the thread.
                assert!(futures_util::FutureExt::now_or_never(&mut looking).is_none());
                looking
            })
            .collect();
        for _ in 0..LOOKED_UP {
            asked.recv_timeout(Duration::from_secs(10)).expect("so many are asked for");
        }
        drop(waiting);
        assert_eq!(turns.available_permits(), 0, "they still hold their threads");
        assert!(asked.try_recv().is_err(), "and no more");
        assert_eq!(in_turn(other, || 1).await.unwrap(), 1, "another door's names have turns of their own");
        drop(answer);
        let _ = turns.acquire_many(LOOKED_UP as u32).await.expect("all are free again");
    }
}
