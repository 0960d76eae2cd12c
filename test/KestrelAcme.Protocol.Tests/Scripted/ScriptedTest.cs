using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Scripted;

/// <summary>A test against the scripted server, with a fake clock and no randomness.</summary>
public abstract class ScriptedTest : IDisposable
{
    private protected ScriptedTest()
    {
        Client = CreateClient();
        Account = Client.OpenAccount(Key, new Uri($"{ScriptedServer.Origin}/account/1"));
    }

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected FakeTimeProvider Time { get; } = new();

    private protected ScriptedServer Server { get; } = new();

    private protected AccountKey Key { get; } = AccountKey.Generate();

    private protected AcmeClient Client { get; }

    private protected AcmeAccount Account { get; }

    public void Dispose()
    {
        Client.Dispose();
        Key.Dispose();
        Server.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected AcmeClient CreateClient(string path = "/directory", Action<AcmeClientOptions>? configure = null)
    {
        var options = new AcmeClientOptions { HttpMessageHandler = Server, TimeProvider = Time, Jitter = () => 1 };
        configure?.Invoke(options);
        return new AcmeClient(new Uri(ScriptedServer.Origin + path), options);
    }

    /// <summary>Advances fake time while a task waits.</summary>
    private protected async Task<T> Run<T>(Task<T> task)
    {
        await Time.RunUntilCompleteAsync(task, TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(10), Cancellation);
        return await task;
    }

    private protected async Task<TException> RunToFailure<TException>(Task task)
        where TException : Exception =>
        await Assert.ThrowsAsync<TException>(
            () => Time.RunUntilCompleteAsync(task, TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(10), Cancellation));
}
