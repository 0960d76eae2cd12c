using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Diagnostics;
using KestrelAcme.LocalAuthority.Discovery;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Orders;
using KestrelAcme.LocalAuthority.RenewalInformation;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.LocalAuthority.Revocation;
using KestrelAcme.LocalAuthority.Validation;

namespace KestrelAcme.LocalAuthority.Hosting;

/// <summary>Creates and connects the parts of a CA.</summary>
internal sealed class AuthorityParts : IAsyncDisposable
{
    private readonly Http01Validator _http01;
    private readonly ValidationQueue _queue;

    public AuthorityParts(
        LocalAcmeAuthorityOptions options,
        AccountRegistry accounts,
        AuthorityFaults faults,
        RenewalSchedule schedule,
        ValidationAddresses addresses,
        AuthorityFolder folder,
        AuthorityFiles files,
        AuthorityLog log)
    {
        var (hierarchy, revocations, time) = (folder.Hierarchy, folder.Revocations, options.TimeProvider);
        var nonces = new NonceStore();
        var authorizations = new AuthorizationBook(options, faults);
        var orders = new OrderBook(authorizations, faults, time);
        var issuer = new LeafIssuer(hierarchy, files, options, faults, time);
        var records = new TxtRecords(options);
        _http01 = new Http01Validator(addresses);
        _queue = new ValidationQueue(
            authorizations,
            [
                _http01,
                new TlsAlpn01Validator(addresses),
                new Dns01Validator(records),
                new DnsAccount01Validator(records),
                new DnsPersist01Validator(records, time),
            ],
            options,
            faults,
            time,
            log);
        IResourceHandler[] handlers =
        [
            new DirectoryHandler(options),
            new NewNonceHandler(),
            new NewAccountHandler(accounts, new ExternalAccountBindingVerifier(options), options, log),
            new AccountHandler(accounts, options),
            new OrdersListHandler(orders, options),
            new KeyChangeHandler(accounts, options),
            new NewOrderHandler(
                orders,
                authorizations,
                new ReplacementPolicy(Certificates, orders, faults),
                options,
                hierarchy.Constraints,
                faults,
                time,
                log),
            new OrderHandler(orders),
            new FinalizeHandler(orders, accounts, Certificates, issuer, faults, log),
            new AuthorizationHandler(authorizations, faults, time),
            new ChallengeHandler(authorizations, _queue, faults, time),
            new CertificateHandler(Certificates, hierarchy, options),
            new IssuerCertificateHandler(hierarchy),
            new RevokeCertificateHandler(hierarchy, Certificates, revocations, authorizations, time, log),
            new RevocationListHandler(new RevocationListPublisher(hierarchy, revocations, time)),
            new RenewalInformationHandler(Certificates, revocations, schedule, options),
        ];
        Pipeline = new RequestPipeline(
            handlers, new RequestAuthenticator(accounts, nonces, faults), new ResponseWriter(nonces, faults, time), faults, time, log);
    }

    public CertificateLedger Certificates { get; } = new();

    public RequestPipeline Pipeline { get; }

    public BoundedLog<ValidationAttempt> Validations => _queue.Attempts;

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync();
        _http01.Dispose();
    }
}
