using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>Creates and deletes single TXT records in the zones of one DNS provider, for dns-01 and dns-account-01.</summary>
/// <remarks>
/// <para>
/// One name often has several values at once: a certificate for a name and its wildcard needs two, and each replica needs one. An
/// implementation MUST NOT change other values of a name. It SHOULD return as soon as the provider has accepted the change; the caller
/// checks that the name servers show it.
/// </para>
/// <para>
/// Implementations MUST be safe for concurrent use with different names. There are never two calls for the same name at once, neither in
/// this process nor in others that share the store. So an API that replaces all values of a name can be used by reading, changing and
/// writing them.
/// </para>
/// <para>
/// Both methods MUST be safe to repeat, because they are called again after a lost response or a crash. They MUST honor their cancellation
/// token, MUST finish in bounded time, and MUST NOT put a secret into an exception or a log.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// // Uses the API of a DNS service. The HTTP client has its base address, its credentials, and a timeout.
/// public sealed class ExampleDnsProvider(IHttpClientFactory clients) : IDnsProvider
/// {
///     public string Description =&gt; "Example DNS at https://api.example.com/";
///
///     public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
///         =&gt; SendAsync(HttpMethod.Put, record, cancellationToken);
///
///     public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
///         =&gt; SendAsync(HttpMethod.Delete, record, cancellationToken);
///
///     private async Task SendAsync(HttpMethod method, DnsTxtRecord record, CancellationToken cancellationToken)
///     {
///         using var client = clients.CreateClient("ExampleDns");
///         var path = $"zones/{record.Zone}/txt/{record.Name}/{Uri.EscapeDataString(record.Value)}";
///         using var request = new HttpRequestMessage(method, path);
///         try
///         {
///             using var response = await client.SendAsync(request, cancellationToken);
///             response.EnsureSuccessStatusCode();
///         }
///         catch (HttpRequestException exception)
///         {
///             throw new DnsProviderException(
///                 DnsProviderFault.Unavailable, $"{Description}: {record.Name} in zone {record.Zone}: {exception.Message}", exception);
///         }
///     }
/// }
/// </code>
/// </example>
public interface IDnsProvider
{
    /// <summary>
    /// The provider and its server, for messages: <c>PowerDNS at https://ns.example.com:8081/</c>. Must not contain a secret.
    /// </summary>
    string Description { get; }

    /// <summary>Adds one value to a name. Succeeds if the value already exists.</summary>
    /// <exception cref="DnsProviderException">
    /// The record could not be created; the message names the server and the zone. Any other exception counts as a bug in the provider.
    /// </exception>
    Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken);

    /// <summary>Removes one value from a name, and only that value. Succeeds if the value or the name does not exist.</summary>
    /// <exception cref="DnsProviderException">The record could not be deleted; the message names the server and the zone.</exception>
    Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken);
}

/// <summary>One value of a TXT record set. Names are absolute, lower-case A-labels without a trailing dot.</summary>
public sealed record DnsTxtRecord
{
    /// <summary>
    /// The zone that contains the record, according to DNS: the closest name at or above <see cref="Name"/> that has an SOA.
    /// </summary>
    public required string Zone { get; init; }

    /// <summary>The name of the record: the end of the CNAMEs of <see cref="ChallengeName"/>.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The name that the CA queries, such as <c>_acme-challenge.www.example.com</c>. Equal to <see cref="Name"/> unless there are CNAMEs.
    /// </summary>
    public required string ChallengeName { get; init; }

    /// <summary>The value: at most 255 characters of printable ASCII without quotes and backslashes.</summary>
    public required string Value { get; init; }

    /// <summary>How long resolvers may cache the record. A provider with a higher minimum uses its minimum.</summary>
    /// <value>60 seconds.</value>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The key authorization whose digest the value is. Nobody can find one for a value that was not made for a challenge.
    /// </summary>
    /// <value><see langword="null"/> if it is not known.</value>
    internal string? KeyAuthorization { get; init; }

    /// <summary>Returns the name and the zone.</summary>
    public override string ToString() => $"TXT {Name} in zone {Zone}";
}

/// <summary>Thrown if a DNS provider did not make a change.</summary>
public sealed class DnsProviderException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="fault">The kind of fault, which decides when KestrelAcme retries.</param>
    /// <param name="message">
    /// Names the server and the zone, quotes the provider's message, and says how to fix it. Must not contain a secret.
    /// </param>
    /// <param name="innerException">The cause.</param>
    public DnsProviderException(DnsProviderFault fault, string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
        => Fault = fault;

    /// <summary>The kind of fault.</summary>
    public DnsProviderFault Fault { get; }

    /// <summary>The delay that the provider asked for.</summary>
    /// <value><see langword="null"/> if it did not ask for one.</value>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The DNS records that must be created by hand to fix the problem.</summary>
    /// <value>Empty if no record is needed.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];
}

/// <summary>Why a DNS provider did not make a change.</summary>
public enum DnsProviderFault
{
    /// <summary>
    /// It rejected the change, for example because of a rule of its own or a malformed request. Retried with increasing delays.
    /// </summary>
    Refused,

    /// <summary>It rejected the credentials, or they do not allow the change. Operator action is required.</summary>
    Unauthorized,

    /// <summary>It does not have the zone, or the account cannot see it. Operator action is required.</summary>
    ZoneNotFound,

    /// <summary>Something must be set up by hand first, such as a CNAME.</summary>
    SetUpNeeded,

    /// <summary>It asks to retry later.</summary>
    RateLimited,

    /// <summary>It could not be reached, or had an internal error.</summary>
    Unavailable,
}
