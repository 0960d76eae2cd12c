using KestrelAcme.Architecture.Tests.Samples.Inner;

namespace KestrelAcme.Architecture.Tests.Samples.Outer;

internal static class OnlyInLambda
{
    public static async Task<int> ReadAsync()
    {
        await Task.Yield();
        return new[] { 1 }.Sum(one => one + Target.Count);
    }
}
