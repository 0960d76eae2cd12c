using Azure;
using Azure.Identity;
using KestrelAcme.Azure.Json;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Azure.Api;

/// <summary>Explains what a response means and what to do. Stateless.</summary>
internal static class AzureFailures
{
    private const string Role = "'DNS Zone Contributor'";
    private static readonly string[] HolderCodes = ["ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"];

    /// <summary>Converts an unsuccessful response to an exception.</summary>
    /// <param name="answer">The response.</param>
    /// <param name="endpoint">The root of Resource Manager.</param>
    /// <param name="zone">The zone.</param>
    /// <param name="scope">The resource, resource group or subscription of the request.</param>
    public static DnsProviderException Refused(AzureResponse answer, Uri endpoint, string zone, string scope)
    {
        var (fault, fix) = answer.Status switch
        {
            401 => (
                DnsProviderFault.Unauthorized,
                " The token is for another cloud or tenant, or has expired: "
                + "check ResourceManagerEndpoint, AuthorityHost, TenantId and this machine's clock."),
            403 => (
                DnsProviderFault.Unauthorized,
                $" Assign the role {Role} on {scope} to the identity; a new assignment takes up to ten minutes to take effect."),
            404 => (
                DnsProviderFault.ZoneNotFound,
                $" Compare SubscriptionId, ResourceGroup and ZoneResourceIds with the portal; the request was for {scope}."),
            429 => (DnsProviderFault.RateLimited, " KestrelAcme retries automatically, at the earliest when Azure allows it."),
            409 => (DnsProviderFault.Refused, $" Is there a lock on {scope}? Record sets must be deletable."),
            >= 500 => (DnsProviderFault.Unavailable, " KestrelAcme retries automatically."),
            _ => (DnsProviderFault.Refused, ""),
        };
        var message = $"{endpoint.Authority} answered {answer.Status} for zone {zone}: {Words(answer)}.{fix}";
        return new DnsProviderException(fault, message) { RetryAfter = answer.RetryAfter };
    }

    /// <summary>
    /// Whether a 404 concerns a parent of the resource: the zone, its resource group or its subscription. Otherwise the
    /// resource itself is missing.
    /// </summary>
    public static bool IsHolderMissing(AzureResponse answer)
        => ErrorOf(answer)?.Code is { } code && HolderCodes.Contains(code, StringComparer.OrdinalIgnoreCase);

    /// <summary>No token could be obtained.</summary>
    public static DnsProviderException NoToken(AuthenticationFailedException exception, Uri endpoint, string zone, SentSecrets secrets)
    {
        // If there was no response, or no credential was found yet, a retry may succeed; a rejected credential stays rejected.
        var fault = exception is CredentialUnavailableException || IsNetwork(exception)
            ? DnsProviderFault.Unavailable
            : DnsProviderFault.Unauthorized;
        return new DnsProviderException(
            fault,
            $"Could not get a token for {endpoint.Authority} to change zone {zone}: {secrets.Quote(exception.Message)} " +
            "Set TenantId, ClientId and ClientSecret, or ManagedIdentityClientId, or run where DefaultAzureCredential finds an identity.",
            secrets.Cause(exception));
    }

    private static AzureError? ErrorOf(AzureResponse answer) => answer.Read(AzureJsonContext.Default.AzureErrorResponse)?.Found;

    private static string Words(AzureResponse answer)
    {
        var error = ErrorOf(answer);
        var words = error is null ? answer.Text : answer.Quote($"{error.Code}: {error.Message}");
        return words.Length == 0 ? "no reason given" : words.TrimEnd('.');
    }

    private static bool IsNetwork(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is HttpRequestException or TimeoutException or RequestFailedException { Status: 0 or 429 or >= 500 })
            {
                return true;
            }
        }

        return false;
    }
}
