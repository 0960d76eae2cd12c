using System.Collections.Concurrent;
using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>The answers to open tls-alpn-01 validations. Two orders may have one name at the same time: each puts its answer in and takes no other out.</summary>
/// <remarks>Safe for concurrent use; readers take no lock.</remarks>
internal sealed class ChallengeAnswers
{
    private readonly ConcurrentDictionary<string, (string Challenge, SslStreamCertificateContext Context)[]> _answers = new(StringComparer.Ordinal);

    /// <summary>The latest answer for a name.</summary>
    public SslStreamCertificateContext? Find(string name) => _answers.TryGetValue(name, out var answers) ? answers[^1].Context : null;

    public void Present(string name, string challenge, SslStreamCertificateContext context)
        => _answers.AddOrUpdate(name, static (_, added) => [added], static (_, answers, added) => [.. answers, added], (challenge, context));

    /// <summary>Takes out the latest of a challenge's answers.</summary>
    public void Withdraw(string name, string challenge)
    {
        while (_answers.TryGetValue(name, out var answers) && Array.FindLastIndex(answers, a => a.Challenge == challenge) is >= 0 and var at)
        {
            var done = answers.Length == 1
                ? _answers.TryRemove(new(name, answers))
                : _answers.TryUpdate(name, [.. answers[..at], .. answers[(at + 1)..]], answers);
            if (done)
            {
                return;
            }
        }
    }
}
