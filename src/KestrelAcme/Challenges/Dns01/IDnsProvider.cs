namespace KestrelAcme.Challenges.Dns01;

/// <summary>Creates and deletes single TXT records in the zones of one DNS provider, for the challenges dns-01 and dns-account-01.</summary>
/// <remarks>
/// <para>
/// Several values under one name at once are ordinary: a certificate for a name and its wildcard needs two, replicas need one each. An implementation MUST leave all other values of a name as they are.
/// It SHOULD return as soon as the provider has taken the change: whether every name server shows it is looked after by the caller.
/// </para>
/// <para>
/// Implementations MUST be safe for concurrent use, by calls for different names. Two calls for one name are never made at once, neither in this process nor in others that share the store, so that an API
/// that replaces the whole set of a name's values may be used by reading, changing and writing it.
/// </para>
/// <para>
/// Both methods MUST be safe to repeat: after a lost answer or a crash they are called again. They MUST honour their cancellation token, MUST end in bounded time, and MUST NOT put a secret into an exception or a log.
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
///         using var request = new HttpRequestMessage(method, $"zones/{record.Zone}/txt/{record.Name}/{Uri.EscapeDataString(record.Value)}");
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
    /// <summary>What the provider is called in messages, with its server: <c>PowerDNS at https://ns.example.com:8081/</c>. No secret.</summary>
    string Description { get; }

    /// <summary>Adds one value to a name. A value that is already there is no error.</summary>
    /// <exception cref="DnsProviderException">The record could not be created; the message names the server and the zone. Any other exception counts as a fault of the provider's code.</exception>
    Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken);

    /// <summary>Removes one value from a name, and only that one. A value, or a name, that is not there is no error.</summary>
    /// <exception cref="DnsProviderException">The record could not be deleted; the message names the server and the zone.</exception>
    Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken);
}
