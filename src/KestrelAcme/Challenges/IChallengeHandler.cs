using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges;

/// <summary>Responds to one type of challenge (RFC 8555 section 8): http-01, tls-alpn-01, dns-01, or a custom one.</summary>
/// <remarks>
/// For each challenge, the order flow calls <see cref="PrepareAsync"/>, then <see cref="WaitUntilVisibleAsync"/>, submits the challenge to
/// the CA, waits for the result, and always calls <see cref="CleanUpAsync"/>. All challenges of an order are prepared before it waits for
/// any. Implementations MUST be safe for concurrent use.
/// </remarks>
/// <example>
/// <code>
/// builder.Services.AddAcmeHttps().AddChallengeHandler&lt;SharedFolderHandler&gt;();
///
/// // Answers http-01 with files in a folder that another web server serves on port 80.
/// public sealed class SharedFolderHandler : IChallengeHandler
/// {
///     private const string Folder = "/srv/www/.well-known/acme-challenge";
///
///     public string ChallengeType =&gt; "http-01";
///
///     public bool CanHandle(string identifierType, string value, bool wildcard) =&gt; !wildcard;
///
///     public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
///         =&gt; File.WriteAllTextAsync(Path.Join(Folder, context.Token), context.KeyAuthorization, cancellationToken);
///
///     public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) =&gt; Task.CompletedTask;
///
///     public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
///     {
///         File.Delete(Path.Join(Folder, context.Token));
///         return Task.CompletedTask;
///     }
/// }
/// </code>
/// </example>
public interface IChallengeHandler
{
    /// <summary>The type of the challenge, such as <c>http-01</c>.</summary>
    string ChallengeType { get; }

    /// <summary>Whether this handler can prove control of an identifier. For example, http-01 cannot prove control of a wildcard.</summary>
    /// <param name="identifierType"><c>dns</c> or <c>ip</c>.</param>
    /// <param name="value">The domain name or IP address, without <c>*.</c>.</param>
    /// <param name="wildcard">Whether the wildcard of the name is ordered.</param>
    bool CanHandle(string identifierType, string value, bool wildcard);

    /// <summary>Provides the response. May be called again for the same challenge, for example after a restart.</summary>
    /// <exception cref="ChallengeException">The response could not be provided; the message says why and how to fix it.</exception>
    Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken);

    /// <summary>Returns when the CA can see the response. Returns at once if the response does not have to propagate.</summary>
    /// <exception cref="ChallengeException">The response did not become visible; the message says where it is missing.</exception>
    Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Removes the response, and only this one. MUST be safe if <see cref="PrepareAsync"/> failed half-way or never ran in this process.
    /// Called with its own cancellation token, because the order's may already be canceled.
    /// </summary>
    Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Describes what only this side knows about a failed validation, such as which requests arrived or where the name leads. It is added
    /// to the message for the operator. Called before <see cref="CleanUpAsync"/>, for a few seconds at most.
    /// </summary>
    /// <returns>One or two sentences without secrets, or <see langword="null"/>.</returns>
    ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken)
        => ValueTask.FromResult<string?>(null);
}

/// <summary>A handler whose responses others can remove. It checks them again when all responses of an order are visible.</summary>
internal interface IConfirmedChallengeHandler
{
    /// <summary>
    /// Checks whether the response is still visible, and provides it again if it is not. Called after all responses of the order became
    /// visible.
    /// </summary>
    /// <exception cref="ChallengeException">The response is gone and could not be provided again.</exception>
    Task ConfirmAsync(ChallengeContext context, CancellationToken cancellationToken);
}

/// <summary>Thrown if a challenge could not be prepared, for a reason on this side and not the CA's.</summary>
public sealed class ChallengeException : Exception
{
    /// <summary>Creates the exception with a message that names the domain, what failed and the fix.</summary>
    public ChallengeException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }

    /// <summary>The kind of fault, which decides who must fix it and when KestrelAcme retries.</summary>
    /// <value>By default, <see cref="ChallengeFault.Name"/>.</value>
    public ChallengeFault Fault { get; init; }

    /// <summary>The delay that the service that refused asked for.</summary>
    /// <value><see langword="null"/> if it did not ask for one.</value>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The DNS records that must be created by hand to fix the problem.</summary>
    /// <value>Empty if no record is needed.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];
}

/// <summary>Why a challenge could not be prepared. Decides who must fix it and when KestrelAcme retries.</summary>
public enum ChallengeFault
{
    /// <summary>The name itself: its records, its delegation or its name servers. Retried with increasing delays.</summary>
    Name,

    /// <summary>Operator action is required: a setting, a credential or a record. Retried once a day.</summary>
    Operator,

    /// <summary>This machine or a service it uses, such as a DNS provider's API that is down. Retried soon.</summary>
    Local,
}

/// <summary>A DNS record that must be created by hand before a certificate can be issued.</summary>
/// <param name="Name">The absolute name, without a trailing dot.</param>
/// <param name="Type">The type, such as <c>TXT</c>, <c>CAA</c> or <c>CNAME</c>.</param>
/// <param name="Value">
/// The value in zone-file notation (RFC 1035 section 5.1): texts are quoted, and names end with a dot.
/// </param>
public sealed record RequiredDnsRecord(string Name, string Type, string Value)
{
    /// <summary>Returns the record as a line of a zone file.</summary>
    public override string ToString() => $"{Name}. {Type} {Value}";
}
