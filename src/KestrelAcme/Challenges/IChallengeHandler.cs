namespace KestrelAcme.Challenges;

/// <summary>Answers one type of challenge (RFC 8555 section 8): http-01, tls-alpn-01, dns-01, or one of your own.</summary>
/// <remarks>
/// For each challenge the order flow calls <see cref="PrepareAsync"/>, then <see cref="WaitUntilVisibleAsync"/>, tells the authority to look, waits for its verdict, and in any case
/// calls <see cref="CleanUpAsync"/>. All challenges of an order are prepared before any is waited for. Implementations MUST be safe for concurrent use.
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
    /// <summary>The type in the authority's words, such as <c>http-01</c>.</summary>
    string ChallengeType { get; }

    /// <summary>Whether this handler can prove control of a name of this kind. A wildcard, for one, cannot be proved by http-01.</summary>
    /// <param name="identifierType"><c>dns</c> or <c>ip</c>.</param>
    /// <param name="value">The name or address, without <c>*.</c>.</param>
    /// <param name="wildcard">Whether the name is wanted as a wildcard.</param>
    bool CanHandle(string identifierType, string value, bool wildcard);

    /// <summary>Puts the answer in place. May be called again for the same challenge, after a restart.</summary>
    /// <exception cref="ChallengeException">The answer could not be put in place; the message says why and what to do.</exception>
    Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken);

    /// <summary>Returns as soon as the authority can see the answer: at once, where nothing has to spread.</summary>
    /// <exception cref="ChallengeException">The answer did not become visible; the message says where it is missing.</exception>
    Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken);

    /// <summary>
    /// Removes the answer, and only this one. MUST be safe when <see cref="PrepareAsync"/> failed half-way or never ran in this process.
    /// Called with a token of its own: the order's may have been cancelled.
    /// </summary>
    Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken);

    /// <summary>
    /// What only this side knows about a challenge that the authority found wrong: which requests arrived, what the name leads to from here. It is added to the message that the operator reads.
    /// Called before <see cref="CleanUpAsync"/>, for a few seconds at most.
    /// </summary>
    /// <returns>One or two sentences, or <see langword="null"/> when there is nothing to say. No secret.</returns>
    ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);
}
